"""Sends generated requests to a running service and checks the answers against its OpenAPI document.

Usage: python3 scripts/compare/service_schema.py ADDRESS TOKEN [EXAMPLES]

The program installs Schemathesis into a temporary environment. The service should have a new store, because the requests
submit jobs; pause its queue if they should not run.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SCHEMATHESIS = "schemathesis==4.*"
# Names of types, datasets and jobs obey rules that a schema cannot state, so that some valid requests are refused.
# DELETE cancels a job, which stays.
EXCLUDED = "positive_data_acceptance,use_after_free"


def main() -> int:
    address, token = sys.argv[1:3]
    examples = sys.argv[3] if len(sys.argv) > 3 else "100"
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        tools = Path(folder, "bin")
        subprocess.run([tools / "pip", "install", "--quiet", SCHEMATHESIS], check=True)
        command = [tools / "schemathesis", "run", f"{address}/openapi.json", "--max-examples", examples]
        command += ["--header", f"Authorization: Bearer {token}", "--exclude-checks", EXCLUDED]
        # The stream of events of a waiting job has no end.
        command += ["--exclude-operation-id", "followJob", "--seed", "1"]
        return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main())
