/** Fits detectors, and scores images with them. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../lib/dataset/decode.js';
import { Dataset, Detector, readImage } from '../../lib/index.js';
import { detect, type FitJobOptions, fit as fitJob } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { listAlone } from '../helpers/dataset.js';
import { category, folder, generated, judge, read, writeGood } from '../helpers/evaluating.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, filesOf } from '../helpers/files.js';

const file = join(folder, 'detector.safetensors');
const options = (out: string, more: Partial<FitJobOptions> = {}): FitJobOptions => ({
  ...{ data: category, out, iterations: 6, resolution: 32, device: 'cpu', seed: 3 },
  ...more,
});
const photograph = join(category, 'test', 'dent', '004.png');

beforeAll(async () => {
  await fitJob(options(file));
});

describe('the commands fit and detect', () => {
  it('write a detector, its maps at the size of the images, and the scores', async () => {
    const own = join(folder, 'own.safetensors');
    const { code, stdout, stderr } = await cli(['fit', ...flagsOf(options(own))]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('fitting')]);
    expect(stdout).toContain(`wrote the detector unet to ${own}`);
    expect(readFileSync(own)).toEqual(readFileSync(file)); // The same seed gives the same detector.
    const out = join(folder, 'maps');
    const test = join(category, 'test');
    const detected = await cli(['detect', '--detector', file, '--images', test, '--out', out, '--device', 'cpu']);
    expect(detected.code).toBe(0);
    const [header, ...lines] = readFileSync(join(out, 'scores.csv'), 'utf8').trim().split('\n');
    expect(header).toBe('image,score,defect');
    expect(lines).toHaveLength(filesOf(test).length);
    expect(lines[0]).toMatch(/^dent\/000\.png,0\.\d+,(true|false)$/);
    const { width, height } = await readImage(photograph);
    const map = await decodeImage(join(out, 'dent', '004.tiff'));
    expect([map.width, map.height, map.channels]).toEqual([width, height, 1]);
    expect(map.data).toBeInstanceOf(Float32Array);
  });

  it('give the maps that the API gives, from the file and from memory', async () => {
    const data = await Dataset.open(category);
    const steps: number[] = [];
    const settings = { iterations: 6, resolution: 32, device: 'cpu', seed: 3 };
    await using fitted = await Detector.fit('unet', data, { ...settings, onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    await using loaded = await Detector.load(file, { device: 'cpu' });
    expect(loaded.info).toMatchObject({ name: 'unet', resolution: 32, tiles: false });
    expect(fitted.info.thresholds).toBeUndefined();
    const [one, other] = [await fitted.score(photograph), await loaded.score(photograph)];
    expect(other).toEqual(one);
    const out = join(folder, 'single');
    expect(await detect({ detector: file, images: photograph, out, device: 'cpu' })).toMatchObject({ images: 1 });
    expect((await decodeImage(join(out, '004.tiff'))).data).toEqual(one.map.data);
    expect(readFileSync(join(out, 'scores.csv'), 'utf8')).toContain(`004.png,${one.score},`);
  });

  it('go on from where a fit was aborted, to the same detector', async () => {
    const out = join(folder, 'resumed.safetensors');
    const controller = new AbortController();
    const aborted = fitJob(options(out), {
      signal: controller.signal,
      onEvent: (event) => event.event === 'progress' && event.done === 3 && controller.abort(),
    });
    await expectFailure(aborted, 'ERR_ABORTED');
    expect([existsSync(out), existsSync(`${out}.checkpoint.safetensors`)]).toEqual([false, true]);
    await expectFailure(fitJob(options(out, { seed: 4 })), 'ERR_CHECKPOINT_MISMATCH', 'belongs to another fit');
    const done: number[] = [];
    await fitJob(options(out), { onEvent: (event) => event.event === 'progress' && done.push(event.done) });
    expect(done).toEqual([4, 5, 6]);
    expect(readFileSync(out)).toEqual(readFileSync(file));
    expect(existsSync(`${out}.checkpoint.safetensors`)).toBe(false);
  });

  it('keep a finished fit until its thresholds are chosen and it is saved', async () => {
    const out = join(folder, 'finished.safetensors');
    const controller = new AbortController();
    const aborted = fitJob(options(out), {
      signal: controller.signal,
      // The fit does not look at the signal after its last step, but the choice of thresholds does.
      onEvent: (event) => event.event === 'progress' && event.done === 6 && setTimeout(() => controller.abort()),
    });
    await expectFailure(aborted, 'ERR_ABORTED');
    expect([existsSync(out), existsSync(`${out}.checkpoint.safetensors`)]).toEqual([false, true]);
    const done: number[] = [];
    await fitJob(options(out), { onEvent: (event) => event.event === 'progress' && done.push(event.done) });
    expect(done).toEqual([]);
    expect(readFileSync(out)).toEqual(readFileSync(file));
    expect(existsSync(`${out}.checkpoint.safetensors`)).toBe(false);
    await expectFailure(
      Detector.fit('unet', await Dataset.open(category), { checkpoint: out, checkpointEvery: 0 }),
      'ERR_INVALID_OPTION',
      'an integer of at least 1 for checkpointEvery',
    );
  });

  it('read the images for thresholds before a fit', async () => {
    const unmasked = join(folder, 'unmasked');
    cpSync(category, unmasked, { recursive: true });
    rmSync(join(unmasked, 'ground_truth', 'dent', '000_mask.png'));
    const steps: number[] = [];
    const work = fitJob(options(join(folder, 'unmasked.safetensors'), { detector: 'draem', data: unmasked }), {
      onEvent: (event) => event.event === 'progress' && steps.push(event.done),
    });
    await expectFailure(work, 'ERR_DATASET_INVALID', '000_mask.png');
    expect(steps).toEqual([]);
  });

  it('learn from generated pairs and in tiles, and keep thresholds', async () => {
    const out = join(folder, 'tiles.safetensors');
    const { resolution: _, ...tiled } = options(out, { tile: 32, pairs: generated, iterations: 2 });
    const made = await fitJob(tiled);
    expect(made).toMatchObject({ good: 5, real: 12, generated: 8, chosenOn: 'generated pairs' });
    const chosen = join(folder, 'chosen.safetensors');
    await using detector = await Detector.load(out, { device: 'cpu' });
    expect(detector.info).toMatchObject({ tiles: true, thresholds: made.thresholds });
    const { map, score } = await detector.score(photograph);
    const { width, height } = await readImage(photograph);
    expect([map.width, map.height]).toEqual([width, height]);
    await detector.save(chosen, { thresholds: { pixel: 0.5, image: score } });
    const found = await detect({ detector: chosen, images: photograph, out: join(folder, 'found'), device: 'cpu' });
    expect(found.defects).toBe(1);
    expect(readFileSync(found.scores, 'utf8')).toBe(`image,score,defect\n004.png,${score},true\n`);
  });

  it('choose thresholds on good images where no mask marks a defect', async () => {
    const blank = join(folder, 'blank');
    cpSync(category, blank, { recursive: true });
    for (const name of filesOf(join(blank, 'ground_truth'))) {
      const mask = join(blank, 'ground_truth', name);
      const black = await sharp(mask).linear(0).png().toBuffer();
      writeFileSync(mask, black);
    }
    const out = join(folder, 'blank.safetensors');
    const made = await fitJob(options(out, { detector: 'draem', data: blank, iterations: 1 }));
    expect(made.chosenOn).toBe('good training images');
    await using detector = await Detector.load(out, { device: 'cpu' });
    expect(detector.info.thresholds).toEqual(made.thresholds);
    const work = detector.save(out, { thresholds: { pixel: Number.NaN, image: 1 } });
    await expectFailure(work, 'ERR_INVALID_OPTION', 'finite number for thresholds.pixel');
  });

  it('learn from pairs if there are some, and else hold good images back', async () => {
    const out = join(folder, 'draem.safetensors');
    const many = join(folder, 'many');
    cpSync(category, many, { recursive: true });
    await writeGood(join(many, 'train', 'good'), 12, 150);
    listAlone(many);
    const draem = { ...options(out, { detector: 'draem', data: many, iterations: 1 }) };
    expect(await fitJob(draem)).toMatchObject({ good: 11 });
    const alone = readFileSync(out);
    expect(await fitJob({ ...draem, pairs: generated })).toMatchObject({ good: 12, generated: 8 });
    expect(readFileSync(out).equals(alone)).toBe(false);
    const work = fitJob(options(out, { detector: 'patchcore', pairs: generated, iterations: undefined }));
    await expectFailure(work, 'ERR_INVALID_OPTION', 'no generated pairs for patchcore');
  });

  it('say what is wrong with files and images', async () => {
    const out = join(folder, 'wrong');
    const score = (more: object) => detect({ detector: file, images: photograph, out, device: 'cpu', ...more });
    const cut = join(folder, 'cut.safetensors');
    writeFileSync(cut, readFileSync(file).subarray(0, 5000));
    await expectFailure(score({ detector: cut }), 'ERR_WEIGHTS_INVALID', cut);
    await expectFailure(score({ detector: photograph }), 'ERR_WEIGHTS_INVALID', photograph);
    await expectFailure(score({ detector: join(folder, 'none') }), 'ERR_FILE_ACCESS', join(folder, 'none'));
    await expectFailure(score({ images: file }), 'ERR_DATASET_INVALID', file);
    const inside = join(category, 'test', 'maps');
    await expectFailure(score({ images: join(category, 'test'), out: inside }), 'ERR_INVALID_OPTION', 'outside of');
    const twins = join(folder, 'twins');
    for (const name of ['a.png', 'a.PNG']) cpSync(photograph, join(twins, name));
    await expectFailure(score({ images: twins }), 'ERR_DATASET_INVALID', 'would share the map a.tiff');
    expect((await cli(['fit', ...flagsOf({ ...options(out), detector: 'unett' })])).stderr).toContain('unet');
    await expectFailure(
      fitJob(options(out, { defects: 'none' })),
      'ERR_INVALID_OPTION',
      'defects of the detector unet',
    );
  });

  it('need no defect where the detector needs none', async () => {
    const good = join(folder, 'only-good');
    await writeGood(join(good, 'train', 'good'), 3, 120);
    const out = join(folder, 'only-good.safetensors');
    const made = await fitJob(options(out, { detector: 'draem', data: good, iterations: 1 }));
    expect(made).toMatchObject({ good: 3, real: 0, chosenOn: 'good training images' });
    await expectFailure(fitJob(options(out, { data: good })), 'ERR_DATASET_INVALID', 'no folder test/<type>');
    const empty = fitJob(options(out, { detector: 'draem', data: join(good, 'train', 'good') }));
    await expectFailure(empty, 'ERR_DATASET_INVALID', 'no folder train/good');
  });

  it('never replace an image by its map', async () => {
    const tiffs = join(folder, 'tiffs');
    mkdirSync(tiffs);
    const image = join(tiffs, '004.tiff');
    await sharp(photograph).toFile(image);
    const before = readFileSync(image);
    const link = join(folder, 'link');
    symlinkSync(tiffs, link);
    for (const out of [tiffs, link]) {
      const work = detect({ detector: file, images: image, out, device: 'cpu' });
      await expectFailure(work, 'ERR_INVALID_OPTION', 'would replace the image');
    }
    const below = detect({ detector: file, images: tiffs, out: join(link, 'maps'), device: 'cpu' });
    await expectFailure(below, 'ERR_INVALID_OPTION', 'outside of');
    expect(readFileSync(image)).toEqual(before);
  });

  it('need good images, of which one is enough, and defects', async () => {
    const poor = join(folder, 'poor');
    cpSync(category, poor, { recursive: true });
    for (const name of filesOf(join(poor, 'train', 'good')).slice(1)) rmSync(join(poor, 'train', 'good', name));
    const out = join(folder, 'poor.safetensors');
    expect(await fitJob(options(out, { data: poor, iterations: 1 }))).toMatchObject({ good: 1 });
    await using detector = await Detector.load(out, { device: 'cpu' });
    expect((await detector.score(photograph)).score).toBeGreaterThanOrEqual(0);
    const good = (await Dataset.open(category)).goodImages('train');
    await expectFailure(Detector.fit('unet', { good: [] }), 'ERR_DATASET_INVALID', 'no good images');
    await expectFailure(Detector.fit('unet', { good: await good }), 'ERR_DATASET_INVALID', 'no images of defects');
  });
});

describe('an evaluation of detectors', () => {
  const out = join(folder, 'detectors');
  const settings = { iterations: 2, compare: ['none' as const], seeds: 1, classifierIterations: 1 };

  it('has a line for each detector and row, and good images alone for those that need no defects', async () => {
    await judge(out, { ...settings, detectors: ['unet', 'draem', 'unet'] });
    const { detectors, rows, runs } = read(out);
    expect([detectors, rows]).toEqual([
      ['unet', 'draem'],
      ['good only', 'none'],
    ]);
    expect(runs.map(({ row, detector, average }) => [row, detector, average.accuracy !== null])).toEqual([
      ['good only', 'draem', false],
      ['none', 'unet', true],
      ['none', 'draem', false], // The types are told apart once.
    ]);
    for (const { cost, thresholds } of runs) {
      expect(cost?.megabytes).toBeGreaterThan(0);
      expect(thresholds?.thresholds.image).toBeGreaterThanOrEqual(0);
    }
    const table = readFileSync(join(out, 'table.md'), 'utf8');
    expect(table).toMatch(/\| average \| good only \| draem \|/);
    expect(table).toMatch(/\| average \| none \| unet \|/);
    expect(readFileSync(join(out, 'table.csv'), 'utf8')).toContain('\naverage,none,draem,pixelAp,');
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    for (const text of ['map of none, unet', 'map of good only, draem', 'id="cost"']) expect(report).toContain(text);
  });

  it('keeps what is done, and adds a detector to it', async () => {
    const runs = join(out, 'runs');
    const before = contentsOf(runs);
    expect(Object.keys(before).map((name) => name.replace(/-[0-9a-f]{8}/, ''))).toEqual([
      ...[
        'good-only-draem-seed0.json',
        'none-classifier-seed0.json',
        'none-detector-seed0.json',
        'none-draem-seed0.json',
      ],
    ]);
    await judge(out, { ...settings, detectors: ['unet', 'draem', 'draem-sspcab'] });
    const after = contentsOf(runs);
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(6);
  });

  it('scores the maps that detect has written like the detector itself', async () => {
    const maps = join(folder, 'own-maps');
    const detector = join(folder, 'none.safetensors');
    await fitJob(options(detector, { iterations: 2, seed: 0, trainImages: '1/3' }));
    await detect({ detector, images: join(category, 'test'), out: maps, device: 'cpu' });
    const scored = join(folder, 'scored');
    await judge(scored, { ...settings, maps: { same: maps } });
    const [own, other] = read(scored).runs;
    expect([own?.detector, other?.row, other?.detector]).toEqual(['unet', 'same', 'maps']);
    // Maps of files are resized to the photograph and back, which moves scores of pixels a little.
    expect(other?.together.imageAuroc).toBeCloseTo(own?.together.imageAuroc as number, 6);
    expect(other?.together.pixelAuroc).toBeCloseTo(own?.together.pixelAuroc as number, 1);
  });
});
