"""Sends generated requests to a running service and checks the answers against its OpenAPI document.

Usage: python3 scripts/compare/service_schema.py ADDRESS TOKEN [EXAMPLES] [JOB]

The program installs Schemathesis into a temporary environment. The service should have a new store, because the requests
submit jobs; pause its queue if they should not run. JOB is the identifier of a completed job with pairs, to which the
requests of a review go: nobody would find one by chance.
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import venv
from pathlib import Path

SCHEMATHESIS = "schemathesis==4.*"
# Names of types, datasets and jobs obey rules that a schema cannot state, so that some valid requests are refused.
# DELETE cancels a job, which stays. A new job has no pairs to review yet. An address that sends many wrong tokens gets
# 429 instead of 401, so that this program sends none instead.
EXCLUDED = "positive_data_acceptance,use_after_free,ensure_resource_availability,ignored_auth"


def require_tokens(address: str, token: str) -> None:
    """Sends each request of the document without a token, which must be refused."""
    document = urllib.request.Request(f"{address}/openapi.json", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(document) as answer:
        paths = json.load(answer)["paths"]
    operations = [(path, method, one) for path, methods in paths.items() for method, one in methods.items()]
    for path, method, operation in operations:
        if operation.get("security") == []:
            continue
        url = address + re.sub(r"\{\w+\}", "0", path)
        try:
            urllib.request.urlopen(urllib.request.Request(url, method=method.upper()))
            status = 200
        except urllib.error.HTTPError as error:
            status = error.code
        if status != 401:
            sys.exit(f"{method.upper()} {url} without a token: expected 401 but received {status}")
    print(f"{len(operations)} operations are refused without a token, unless they need none")


def main() -> int:
    address, token = sys.argv[1:3]
    examples = sys.argv[3] if len(sys.argv) > 3 else "100"
    job = sys.argv[4] if len(sys.argv) > 4 else None
    require_tokens(address, token)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        tools = Path(folder, "bin")
        subprocess.run([tools / "pip", "install", "--quiet", SCHEMATHESIS], check=True)
        command = [tools / "schemathesis", "run", f"{address}/openapi.json", "--max-examples", examples]
        command += ["--header", f"Authorization: Bearer {token}", "--exclude-checks", EXCLUDED]
        # The streams of events of a waiting job and of a review have no end.
        command += ["--exclude-operation-id", "followJob", "--exclude-operation-id", "followReview", "--seed", "1"]
        if job:
            review = f'[[operations]]\ninclude-path-regex = "/review"\nparameters = {{ "path.id" = "{job}" }}\n'
            Path(folder, "schemathesis.toml").write_text(review)
        return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main())
