/** A small category, generated pairs of it, and evaluations of them, for the tests of `evaluate`. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll } from 'vitest';
import type { Evaluation } from '../../lib/evaluate/index.js';
import { type EvaluateJobOptions, evaluate } from '../../lib/jobs/index.js';
import { listAlone, writeCategory } from './dataset.js';
import { scratchFolder } from './scratch.js';

export const folder = scratchFolder();
export const category = join(folder, 'plate');
export const generated = join(folder, 'generated');

/** Good images, each of another level from `first` on: no two of them may have the same pixels. */
export async function writeGood(where: string, count: number, first: number): Promise<void> {
  mkdirSync(where, { recursive: true });
  for (let i = 0; i < count; i++) {
    const image = sharp({
      create: { width: 48, height: 40, channels: 3, background: { r: 180, g: 180, b: first + i } },
    });
    await image.png().toFile(join(where, `${String(i).padStart(3, '0')}.png`));
  }
}

beforeAll(async () => {
  await writeCategory(category, 'dent', 6);
  await writeCategory(category, 'pit', 6, 40, 48);
  await writeGood(join(category, 'train', 'good'), 5, 170);
  await writeGood(join(category, 'test', 'good'), 4, 175);
  listAlone(category); // The pictures differ so little that they would be taken for one part.
  // `run` leaves a dataset for each type in such folders. One of them is a link to a run elsewhere.
  await writeCategory(join(generated, 'dent', 'dataset'), 'dent', 4);
  await writeCategory(join(folder, 'elsewhere', 'dataset'), 'pit', 4);
  symlinkSync(join(folder, 'elsewhere'), join(generated, 'pit'));
  const empty = join(generated, 'pit', 'dataset', 'ground_truth', 'pit', '003_mask.png');
  await sharp({ create: { width: 48, height: 48, channels: 3, background: 'black' } })
    .png()
    .toFile(empty);
});

export const options = (out: string, more: Partial<EvaluateJobOptions> = {}): EvaluateJobOptions => ({
  ...{ data: category, out, resolution: 32, seeds: 2, classifierIterations: 2, ...more },
});
export const judge = (out: string, more: Partial<EvaluateJobOptions> = {}) => evaluate(options(out, more));
export const read = (out: string): Evaluation =>
  JSON.parse(readFileSync(join(out, 'evaluation.json'), 'utf8')) as Evaluation;
export const withoutTimes = (out: string) => read(out).runs.map(({ seconds: _, cost: __, ...run }) => run);
