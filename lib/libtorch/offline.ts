import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DownloadError, withFileErrors } from '../core/errors.js';
import { downloadCommand } from '../wheels/pip.js';
import { nameAndDigest, sha256Of } from '../wheels/wheel.js';
import type { LibtorchWheel } from './wheels.js';

/** Explains which files a machine without a network needs, how to download them elsewhere and how to install them. */
export function offlineInstructions(wheels: LibtorchWheel[], { cuda = false } = {}): string {
  return [
    'Without pip or a network, fetch these files on another machine and copy them into one folder here:',
    ...wheels.map(nameAndDigest),
    'On a machine with pip, this command fetches all of them into the folder `wheels`:',
    `  ${downloadCommand(wheels, 'wheels')}`,
    'Then install from the folder:',
    `  npx dualanodiff libtorch install${cuda ? ' --cuda' : ''} --from wheels`,
    'That downloads nothing and checks the SHA-256 of each file.',
  ].join('\n');
}

/**
 * Finds the file of each wheel in a folder by its SHA-256, because a browser may have changed the name ("… (1).whl").
 * Throws ERR_DOWNLOAD with all files that are missing or damaged.
 */
export async function findWheels(
  folder: string,
  wanted: LibtorchWheel[],
  signal?: AbortSignal,
): Promise<Map<LibtorchWheel, string>> {
  const entries = await withFileErrors('read', folder, () => readdir(folder, { withFileTypes: true }));
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const found = new Map<LibtorchWheel, string>();
  const problems: string[] = [];
  for (const wheel of wanted) {
    const start = wheel.file.split('-').slice(0, 2).join('-');
    const alike = names.filter((name) => name.startsWith(`${start}-`)).sort((a) => (a === wheel.file ? -1 : 1));
    const wrong: string[] = [];
    for (const name of alike) {
      const digest = await withFileErrors('read', join(folder, name), () => sha256Of(join(folder, name), signal));
      if (digest === wheel.sha256) {
        found.set(wheel, join(folder, name));
        break;
      }
      wrong.push(`  ${name} is damaged, incomplete or another build: its SHA-256 is ${digest}`);
    }
    if (!found.has(wheel)) problems.push(...wrong, `${wrong.length > 0 ? '  needed:\n' : ''}${nameAndDigest(wheel)}`);
  }
  if (problems.length === 0) return found;
  const missing = wanted.length - found.size;
  throw new DownloadError(
    [
      `${folder} lacks ${missing} of the ${wanted.length} files that libtorch is installed from:`,
      ...problems,
      'On a machine with pip, this command fetches them into the folder `wheels`:',
      `  ${downloadCommand(
        wanted.filter((wheel) => !found.has(wheel)),
        'wheels',
      )}`,
      `Copy them into ${folder} and try again.`,
    ].join('\n'),
  );
}
