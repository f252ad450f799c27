import { type Command, Option } from 'commander';
import { InvalidOptionError } from '../core/errors.js';
import { convertAdapter, convertCheckpoint } from '../model/convert.js';
import { given } from '../options/check.js';
import { addSourceOptions } from './base.js';
import { number } from './options.js';
import type { Runner } from './runner.js';

interface Flags {
  input: string;
  out: string;
  to: 'own' | 'published' | 'base';
  dtype: 'float32' | 'float16' | 'bfloat16';
  saimRank?: number;
  baseConfig?: string;
  predictionType?: 'epsilon' | 'v_prediction';
}

const percent = (value: number) => `${(100 * value).toFixed(2)} %`;

export function addConvert(program: Command, runner: Runner): void {
  const command = program
    .command('convert')
    .description('adapters between their formats, and a checkpoint file to a base folder')
    .requiredOption('--input <path>', 'adapter, own or published; or with --to base a checkpoint file')
    .requiredOption('--out <path>', 'what to write; must not exist')
    .addOption(
      new Option('--to <format>', 'own adapter, adapter for the published scripts (.bin or .safetensors), base folder')
        .choices(['own', 'published', 'base'])
        .default('own'),
    )
    .addOption(
      new Option('--dtype <name>', 'precision to store').choices(['float32', 'float16', 'bfloat16']).default('float32'),
    )
    .option('--saim-rank <n>', 'store SAIM at this rank: a compact adapter (own format)', number);
  runner.attach(addSourceOptions(command), async (flags: Flags, { signal, io }) => {
    const { input, out, to, dtype, saimRank, baseConfig: configFolder, predictionType } = flags;
    const ofOthers = to === 'base' ? { saimRank } : { baseConfig: configFolder, predictionType };
    for (const [name, value] of Object.entries(given(ofOthers))) {
      throw new InvalidOptionError(`Expected no ${name} with --to ${to} but received ${value}`);
    }
    if (to === 'base') {
      await convertCheckpoint(input, out, { ...given({ configFolder, predictionType }), dtype, signal });
      io.result(`wrote the base model ${out}`, { out });
      return;
    }
    const { numbers, saimErrors, notes } = await convertAdapter(input, out, {
      ...given({ saimRank }),
      ...{ layout: to, dtype, signal },
    });
    for (const note of notes) io.warn(note);
    const lines = [`wrote ${out}: ${(numbers / 1e6).toFixed(2)} million numbers`];
    if (saimErrors.length > 0) {
      const mean = (of: 'scores' | 'values') =>
        saimErrors.reduce((sum, error) => sum + error[of], 0) / saimErrors.length;
      const worst = saimErrors.reduce((a, b) => (b.values > a.values ? b : a));
      lines.push(
        `SAIM at rank ${saimRank} differs from the full one by ${percent(mean('scores'))} (scores) and ${percent(mean('values'))} (values) on average; worst ${percent(worst.values)} in ${worst.layer}`,
      );
    }
    io.result(lines.join('\n'), { out, numbers, saimErrors, notes });
  });
}
