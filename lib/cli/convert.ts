import { InvalidOptionError } from '../core/errors.js';
import type { AdapterConversion } from '../model/convert.js';
import { checkOptions, given } from '../options/check.js';
import { convertJobOptions, convertSchema } from '../options/jobs.js';
import type { CommandSpec } from './command.js';

const percent = (value: number) => `${(100 * value).toFixed(2)} %`;

function describe(
  out: string,
  { numbers, saimErrors, notes }: AdapterConversion,
  saimRank: number | undefined,
): string {
  const lines = [...notes, `wrote ${out}: ${(numbers / 1e6).toFixed(2)} million numbers`];
  if (saimErrors.length > 0) {
    const mean = (of: 'scores' | 'values') => saimErrors.reduce((sum, error) => sum + error[of], 0) / saimErrors.length;
    const worst = saimErrors.reduce((a, b) => (b.values > a.values ? b : a));
    lines.push(
      `SAIM at rank ${saimRank} differs from the full one by ${percent(mean('scores'))} (scores) and ${percent(mean('values'))} (values) on average; worst ${percent(worst.values)} in ${worst.layer}`,
    );
  }
  return lines.join('\n');
}

export const convert: CommandSpec = {
  name: 'convert',
  description: 'Convert adapters between their formats, and a checkpoint file to a base folder.',
  options: convertJobOptions,
  async run(options, { signal }) {
    const { input, out, to, dtype, saimRank, baseConfig, predictionType } = checkOptions(convertSchema, options);
    const unread = given(to === 'base' ? { saimRank } : { baseConfig, predictionType });
    for (const [name, value] of Object.entries(unread)) {
      throw new InvalidOptionError(`Expected no ${name} with ${to} for to but received ${value}`);
    }
    // Imported when it runs: the engine's side takes most of the time of a start.
    const { convertAdapter, convertCheckpoint } = await import('../model/convert.js');
    if (to === 'base') {
      await convertCheckpoint(input, out, { ...given({ baseConfig, predictionType }), dtype, signal });
      return { text: `wrote the base model ${out}`, value: { out } };
    }
    const conversion = await convertAdapter(input, out, { ...given({ saimRank }), format: to, dtype, signal });
    return { text: describe(out, conversion, saimRank), value: { out, ...conversion } };
  },
};
