import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../lib/evaluate/index.js';
import { Dataset, DualAnoDiff, embedded, RawImage, Trainer } from '../../lib/index.js';
import { writeEvaluationReport } from '../../lib/report/evaluation-report.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

const filesIn = (...path: string[]) => {
  const place = join(...path);
  return readdirSync(place)
    .sort()
    .map((name) => readFileSync(join(place, name)));
};
/** A category's files as they are, in memory. */
function bytesOf(category: string, types: string[]) {
  const list = (type: string) => {
    const masks = filesIn(category, 'ground_truth', type);
    return filesIn(category, 'test', type).map((image, i) => ({ image, mask: masks[i] as Buffer }));
  };
  return Object.fromEntries(types.map((type) => [type, list(type)]));
}

describe('a dataset of images in memory', () => {
  it('a dataset in memory trains the adapter that its files train, with foregrounds and without', async () => {
    await using model = await DualAnoDiff.load(embedded.base, { device: 'cpu' });
    const inMemory = Dataset.from({ types: bytesOf(embedded.example, ['stain']), category: 'brushed_metal' });
    const datasets = { files: await Dataset.open(embedded.example), memory: inMemory };
    for (const background of ['off', 'add'] as const) {
      const adapters: Buffer[] = [];
      for (const [name, dataset] of Object.entries(datasets)) {
        await using trainer = new Trainer(model, { types: ['stain'], resolution: 32, trainImages: 2, background });
        for await (const step of trainer.train(dataset, { steps: 2 })) expect(step.loss).toBeGreaterThan(0);
        const file = join(folder, `${name}-${background}.safetensors`);
        await trainer.save(file);
        adapters.push(readFileSync(file));
        if (name !== 'memory') continue;
        const { image, part } = await trainer.preview({ steps: 1 });
        for (const one of [image, part, trainer.examples[0]?.pixels]) expect(one).toBeInstanceOf(RawImage);
        const png = join(folder, 'pair.png');
        await image.toSharp().toFile(png);
        expect((await RawImage.fromSharp(sharp(png))).data).toEqual(image.data);
      }
      expect(adapters[1]?.equals(adapters[0] as Buffer), background).toBe(true);
    }
  });

  it('a dataset in memory is evaluated with the scores of its files, and shown in the report', async () => {
    const category = join(folder, 'plate');
    await writeCategory(category, 'dent', 4);
    await writeCategory(category, 'pit', 4, 40, 48);
    for (const [part, first] of [
      ['train', 170],
      ['test', 180],
    ] as const) {
      mkdirSync(join(category, part, 'good'), { recursive: true });
      for (let i = 0; i < 3; i++) {
        const background = { r: 180, g: 180, b: first + i };
        const good = sharp({ create: { width: 48, height: 40, channels: 3, background } });
        await good.png().toFile(join(category, part, 'good', `${i}.png`));
      }
    }
    const inMemory = Dataset.from({
      types: bytesOf(category, ['dent', 'pit']),
      good: filesIn(category, 'train', 'good'),
      testGood: filesIn(category, 'test', 'good'),
      category: 'plate',
    });
    const options = { compare: ['none' as const], seeds: 1, resolution: 32, iterations: 3, classifierIterations: 2 };
    const evaluate = async (dataset: Dataset, name: string) => {
      const out = join(folder, name);
      const evaluator = await Evaluator.open(dataset, { ...options, device: 'cpu' });
      const evaluation = await evaluator.evaluate(out);
      await writeEvaluationReport(join(out, 'report.html'), evaluator, evaluation);
      const { runs, ...rest } = evaluation;
      const scores = runs.map(({ types, average, together }) => ({ types, average, together }));
      const names = runs[0]?.good.map((one) => one.name);
      return { rest, scores, names, report: readFileSync(join(out, 'report.html'), 'utf8') };
    };
    const files = await evaluate(await Dataset.open(category), 'files');
    const memory = await evaluate(inMemory, 'memory');
    expect(memory.rest).toEqual(files.rest);
    expect(memory.scores).toEqual(files.scores);
    expect(memory.names).toEqual(['testGood_000', 'testGood_001', 'testGood_002']);
    expect(memory.report).toContain('alt="good testGood_002: mean probability');
    expect(memory.report).toContain('alt="pit 003: pixel AP');
  });
});
