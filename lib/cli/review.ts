import { checkOptions } from '../options/check.js';
import { reviewOptions, reviewSchema } from '../options/review.js';
import type { CommandSpec } from './command.js';

export const reviewPairs: CommandSpec = {
  name: 'review',
  description: 'Look at generated pairs in the browser, keep or drop them, and correct their masks.',
  argument: { name: 'dir', doc: 'A folder that run, sample or place has written.' },
  options: reviewOptions,
  computes: true,
  async run(options, { signal, onEvent }) {
    const settings = checkOptions(reviewSchema, options);
    // Imported when it runs, because the server takes time to load.
    const { review } = await import('../review/review.js');
    const counts = await review(settings, {
      ...{ signal, onEvent },
      onAddress: (address) => onEvent?.({ event: 'note', message: `Open ${address} in a browser. Ctrl-C ends.` }),
    });
    const { pairs, kept, dropped, undecided, corrected } = counts;
    const text = `${settings.dir}: ${pairs} pairs, ${kept} kept, ${dropped} dropped, ${undecided} undecided, ${corrected} masks corrected`;
    return { text, value: { dir: settings.dir, ...counts } };
  },
};
