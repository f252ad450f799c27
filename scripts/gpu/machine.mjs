// Finds what the parts of a run need on the machine: Python, its libtorch, and the tools of CUDA.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The engine is built for this version of libtorch. */
const TORCH = '2.11.0';

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the path of a program that is on the PATH or in one of the folders, or undefined. */
function findProgram(name, folders = []) {
  const all = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...folders];
  return all.map((folder) => join(folder, name)).find(isExecutable);
}

/** Returns the folders in which CUDA's tools are usually installed. */
function cudaFolders() {
  const local = existsSync('/usr/local') ? readdirSync('/usr/local') : [];
  const homes = local.filter((name) => name.startsWith('cuda')).map((name) => join('/usr/local', name));
  if (process.env.CUDA_HOME) homes.unshift(process.env.CUDA_HOME);
  const nsight = '/opt/nvidia/nsight-compute';
  const versions = existsSync(nsight) ? readdirSync(nsight).map((version) => join(nsight, version)) : [];
  return [...homes.flatMap((home) => [join(home, 'bin'), join(home, 'compute-sanitizer')]), ...versions];
}

/** Returns the folder of the torch that a Python has, or undefined. The interpreter does not import it. */
function torchOf(python) {
  const script = 'import importlib.util as u; s = u.find_spec("torch"); print(s.origin if s else "")';
  const { stdout } = spawnSync(python, ['-c', script], { encoding: 'utf8', timeout: 60_000 });
  const file = stdout?.trim();
  return file ? dirname(file) : undefined;
}

/**
 * Returns the programs that were found, and libtorch's folder. LIBTORCH names it, or Python's torch contains it. Throws
 * an error that says what is missing.
 */
export function findMachine(wantedPython) {
  const python = wantedPython ?? findProgram('python3');
  const libtorch = process.env.LIBTORCH ?? (python && torchOf(python));
  if (!libtorch) {
    const where = python ? `${python} has no torch` : 'there is no python3 on the PATH';
    throw new Error(
      `libtorch was not found: ${where}. Set LIBTORCH to a folder of libtorch ${TORCH}, or give --python.`,
    );
  }
  if (!existsSync(join(libtorch, 'lib', 'libtorch_cpu.so'))) throw new Error(`${libtorch} lacks lib/libtorch_cpu.so`);
  const versionFile = join(libtorch, 'version.py');
  const version = existsSync(versionFile)
    ? /__version__ = '([^']+)'/.exec(readFileSync(versionFile, 'utf8'))?.[1]
    : undefined;
  if (version !== undefined && !version.startsWith(TORCH))
    throw new Error(`The programs are built for libtorch ${TORCH}, but ${libtorch} holds ${version}`);
  const tools = cudaFolders();
  return {
    python,
    libtorch,
    version,
    // The peer runs only where Python has its own torch.
    peerPython: python && torchOf(python) ? python : undefined,
    sanitizer: findProgram('compute-sanitizer', tools),
    ncu: findProgram('ncu', tools),
  };
}
