import { type Command, Option } from 'commander';
import { LibtorchError } from '../core/errors.js';
import { installLibtorch } from '../libtorch/install.js';
import { findLibtorch, libtorchPlaces, libtorchVersion, PINNED_TORCH } from '../libtorch/locate.js';
import type { Runner } from './runner.js';

interface InstallFlags {
  cpu?: boolean;
  cuda?: boolean;
  from?: string;
  force?: boolean;
}

export function addLibtorch(program: Command, runner: Runner): void {
  const group = program.command('libtorch').description('find or install libtorch');

  const install = group
    .command('install')
    .description(`install libtorch ${PINNED_TORCH} into the cache (544 MB download, 2.5 GB with CUDA)`)
    .addOption(new Option('--cpu', 'CPU libraries only (default)').conflicts('cuda'))
    .option('--cuda', 'CUDA libraries too')
    .option(
      '--from <path>',
      'a folder with all wheels (nothing is downloaded), or one wheel or libtorch zip, as a file or an address',
    )
    .option('--force', 'install again although it is there');
  runner.attach(install, async (flags: InstallFlags, { io, signal }) => {
    const options = {
      variant: flags.cuda ? 'cuda' : 'cpu',
      force: flags.force ?? false,
      signal,
      log: (line: string) => io.say(line),
    } as const;
    const folder = await installLibtorch({ ...options, ...(flags.from === undefined ? {} : { from: flags.from }) });
    io.result(folder, { libtorch: folder, version: libtorchVersion(folder) });
  });

  const where = group.command('where').description('print the libtorch folder that is used');
  runner.attach(where, async (_: object, { io }) => {
    const folder = findLibtorch();
    if (!folder) {
      throw new LibtorchError(
        'libtorch was not found: `dualanodiff libtorch install` installs it',
        'ERR_LIBTORCH_MISSING',
      );
    }
    io.result(folder, { libtorch: folder, version: libtorchVersion(folder) });
  });

  const list = group.command('list').description('print every place that is looked at');
  runner.attach(list, async (_: object, { io }) => {
    const places = libtorchPlaces().map((place) => ({
      ...place,
      version: place.found ? libtorchVersion(place.folder) : undefined,
    }));
    const lines = places.map(
      ({ source, folder, found, version }) =>
        `${source.padEnd(9)} ${folder}  ${found ? (version ?? 'version unknown') : 'nothing there'}`,
    );
    io.result(lines.join('\n'), { places, pinned: PINNED_TORCH });
  });
}
