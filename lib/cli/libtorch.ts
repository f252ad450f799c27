import { InvalidOptionError, LibtorchError } from '../core/errors.js';
import { installLibtorch } from '../libtorch/install.js';
import { findLibtorch, libtorchPlaces, libtorchVersion, PINNED_TORCH } from '../libtorch/locate.js';
import { checkOptions, given } from '../options/check.js';
import { installOptions, installSchema } from '../options/libtorch.js';
import type { CommandSpec } from './command.js';

const install: CommandSpec = {
  name: 'install',
  description: `Install libtorch ${PINNED_TORCH} into the cache (544 MB download, 2.5 GB with CUDA).`,
  options: installOptions,
  async run(options, { signal, say }) {
    const { cpu, cuda, from, force } = checkOptions(installSchema, options);
    if (cpu && cuda) throw new InvalidOptionError('Expected cpu or cuda but received both');
    const variant = cuda ? 'cuda' : 'cpu';
    const folder = await installLibtorch({ ...given({ from }), variant, force, signal, log: say });
    return { text: folder, value: { libtorch: folder, version: libtorchVersion(folder) } };
  },
};

const where: CommandSpec = {
  name: 'where',
  description: 'Print the libtorch folder that is used.',
  async run() {
    const folder = findLibtorch();
    if (!folder) {
      throw new LibtorchError(
        'libtorch was not found: `dualanodiff libtorch install` installs it',
        'ERR_LIBTORCH_MISSING',
      );
    }
    return { text: folder, value: { libtorch: folder, version: libtorchVersion(folder) } };
  },
};

const list: CommandSpec = {
  name: 'list',
  description: 'Print every place that is searched.',
  async run() {
    const places = libtorchPlaces().map((place) => ({
      ...place,
      version: place.found ? libtorchVersion(place.folder) : undefined,
    }));
    const lines = places.map(
      ({ source, folder, found, version }) =>
        `${source.padEnd(9)} ${folder}  ${found ? (version ?? 'version unknown') : 'nothing there'}`,
    );
    return { text: lines.join('\n'), value: { places, pinned: PINNED_TORCH } };
  },
};

export const libtorchCommands = [install, where, list];
