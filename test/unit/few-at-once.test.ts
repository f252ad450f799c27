import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

/** Files that are being decoded, and the most of them so far. */
const decoding = vi.hoisted(() => ({ now: 0, most: 0 }));
vi.mock('../../lib/dataset/decode.js', async (original) => {
  const real = await original<typeof import('../../lib/dataset/decode.js')>();
  return {
    ...real,
    decodeImage: async (...of: Parameters<typeof real.decodeImage>) => {
      decoding.most = Math.max(decoding.most, ++decoding.now);
      await setTimeout(2);
      return real.decodeImage(...of).finally(() => decoding.now--);
    },
  };
});

// Modules of other test files in the same process (`npm run test:unit`) have the decoder that is not counted.
vi.resetModules();
const { Dataset } = await import('../../lib/dataset/dataset.js');
const { AT_ONCE, fewAtOnce } = await import('../../lib/core/few-at-once.js');
const { loadDefects, loadGood } = await import('../../lib/detect/squares.js');
const { loadBackgrounds } = await import('../../lib/model/foreground.js');

describe('fewAtOnce', () => {
  it('keeps the order, and never does more at once', async () => {
    let [now, most] = [0, 0];
    const results = await fewAtOnce(
      Array.from({ length: 20 }, (_, i) => i),
      async (i) => {
        most = Math.max(most, ++now);
        await setTimeout((i * 7) % 5);
        now--;
        return 2 * i;
      },
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i));
    expect(most).toBe(AT_ONCE);
  });

  it('throws the first failure by order, whichever comes first, and begins nothing after it', async () => {
    const begun: number[] = [];
    const work = fewAtOnce([20, 10, 0, 5, 1, 1, 1], async (wait) => {
      begun.push(wait);
      await setTimeout(wait);
      throw new Error(`after ${wait}`);
    });
    await expect(work).rejects.toThrow('after 20');
    expect(begun).toEqual([20, 10, 0, 5]);
  });
});

describe('images', () => {
  it('are decoded few at once, however many there are', async () => {
    const category = join(folder, 'tile');
    const count = 24;
    await writeCategory(category, 'crack', count, 64, 64);
    const dataset = await Dataset.open(category);
    const examples = await dataset.examples('crack');
    const files = examples.map((example) => example.image);
    const all = async (chunks: AsyncGenerator<unknown[]>) => {
      const squares: unknown[] = [];
      for await (const chunk of chunks) squares.push(...chunk);
      return squares;
    };
    const loaders = {
      examples: () => Dataset.load(examples, 32, 'crop'),
      backgrounds: () => loadBackgrounds(files, 32, 'crop', 'none'),
      good: () => all(loadGood(files, 32)),
      defects: () => all(loadDefects(examples, 32)),
    };
    for (const [name, load] of Object.entries(loaders)) {
      decoding.most = 0;
      expect(await load(), name).toHaveLength(count);
      expect(decoding.most, name).toBe(AT_ONCE);
    }
  });
});
