import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DownloadError } from '../core/errors.js';
import { isOlder } from '../core/platform.js';
import { DEFAULT_PYTHON, type Wheel } from './wheel.js';

const run = promisify(execFile);

/** The oldest pip that accepts platform tags such as manylinux_2_28. */
const OLDEST_PIP = '20.3';

/** Finds the command that starts pip on this machine. Throws ERR_DOWNLOAD if pip is missing or too old. */
export async function findPip(): Promise<[string, ...string[]]> {
  let old: string | undefined;
  for (const command of [['python3', '-m', 'pip'], ['pip3'], ['pip']] as [string, ...string[]][]) {
    try {
      const { stdout } = await run(command[0], [...command.slice(1), '--version']);
      const version = /^pip (\S+)/.exec(stdout)?.[1] ?? '0';
      if (!isOlder(version, OLDEST_PIP)) return command;
      old ??= `${command.join(' ')} is version ${version}, and ${OLDEST_PIP} or newer is needed`;
    } catch {
      // The command is missing, or it is a python3 without the module pip.
    }
  }
  const reason = old ?? 'pip was not found (on Debian and Ubuntu: `apt-get install python3-pip`)';
  throw new DownloadError(`Files are downloaded with pip, but ${reason}.`);
}

/**
 * Returns pip's arguments for exactly these files, which accept the same version of Python. The tags are explicit because
 * another machine may download them.
 */
function downloadArguments(wheels: Wheel[], folder: string): string[] {
  const tags = new Set(wheels.flatMap(({ file }) => file.slice(file.lastIndexOf('-') + 1, -'.whl'.length).split('.')));
  const python = wheels[0]?.python ?? DEFAULT_PYTHON;
  return [
    ...['download', '--no-deps', '--only-binary=:all:', '--python-version', python, '--implementation', 'cp'],
    ...['--abi', `cp${python}`, '--abi', 'none', ...[...tags].flatMap((tag) => ['--platform', tag])],
    ...['--dest', folder, ...wheels.map(({ name, version }) => `${name}==${version}`)],
  ];
}

/** Returns the command that downloads the wheels into a folder on any machine with pip. */
export const downloadCommand = (wheels: Wheel[], folder: string): string =>
  ['pip', ...downloadArguments(wheels, folder)].join(' ');

/** Finds the line of pip's output that gives the reason. pip reports an unreachable server only as a warning. */
function reasonOf(stderr = ''): string {
  const lines = stderr.trim().split('\n');
  const connectionWarning = lines.find((line) => /^WARNING: Retrying .*(Connection|Timeout|Proxy|SSL)/.test(line));
  if (connectionWarning)
    return `the package index cannot be reached (${connectionWarning.replace(/^WARNING: Retrying.*broken by |<[^>]*>: /g, '')})`;
  return lines.findLast((line) => line.startsWith('ERROR:'))?.slice('ERROR: '.length) ?? lines.at(-1) ?? '';
}

/** Downloads one wheel into `folder` from the index that pip is configured for. Throws ERR_DOWNLOAD. */
export async function downloadWheel(
  wheel: Wheel,
  pip: [string, ...string[]],
  folder: string,
  signal?: AbortSignal,
): Promise<string> {
  const args = [...pip.slice(1), '--disable-pip-version-check', ...downloadArguments([wheel], folder)];
  try {
    await run(pip[0], [...args, '--progress-bar', 'off'], { maxBuffer: 1 << 26, ...(signal && { signal }) });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const reason = reasonOf((cause as { stderr?: string }).stderr);
    throw new DownloadError(`pip could not download ${wheel.name} ${wheel.version}: ${reason}.`, { cause });
  }
  return join(folder, wheel.file);
}
