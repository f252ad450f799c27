/** An evaluation with hostile names and with noisy pictures, for the tests of its report. No network makes it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { encodeFloatTiff } from '../../lib/dataset/float-tiff.js';
import type { Evaluation, EvaluationRun } from '../../lib/evaluate/evaluation.js';
import type { Evaluator } from '../../lib/evaluate/evaluator.js';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';
import { meanScores, type Scores } from '../../lib/evaluate/scores.js';
import { writeEvaluationReport } from '../../lib/report/evaluation-report.js';

const [WIDTH, HEIGHT] = [240, 160];
/** Names that would run a script, or break out of an attribute, if they were not escaped. */
export const HOSTILE = {
  type: `x' onerror="hacked=1" <img src=x onerror=hacked=1>`,
  row: '"><script>window.hacked = 1</script><b>&amp;',
};

/** Returns repeatable noise, 0 to 255. It is the picture that compresses worst. */
export function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Writes an image file of noise, with a grey box that is the defect. */
export async function writeImage(path: string, seed: number, width = WIDTH, height = HEIGHT): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  const image = sharp(noise(3 * width * height, seed), { raw: { width, height, channels: 3 } });
  await image.png({ compressionLevel: 1 }).toFile(path);
  return path;
}

export async function writeMask(path: string, seed: number, width = WIDTH, height = HEIGHT): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  const data = new Uint8Array(width * height);
  const [left, top] = [(37 * seed) % (width - 60), (23 * seed) % (height - 40)];
  for (let y = top; y < top + 40; y++) data.fill(255, y * width + left, y * width + left + 60);
  await sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(path);
  return path;
}

const scores = (value: number): Scores => ({
  ...{ pixelAuroc: value, pixelAp: value, pixelF1Max: value, pixelAuPro: value, pixelAuPro5: value },
  ...{ imageAuroc: value, imageAp: value, imageF1Max: value, accuracy: null },
});

interface Settings {
  /** The number of test images of each type. */
  images: number;
  shots?: number[];
}

/** The rows and detectors. The first detector gives probabilities. */
export const LINES = [
  { row: 'none', detector: 'unet', value: 0.4 },
  { row: HOSTILE.row, detector: 'unet', value: 0.6 },
  { row: 'good only', detector: 'patchcore', value: 0.5 },
];

async function writeMap(folder: string, run: number, type: string, name: string, isFloat: boolean): Promise<string> {
  const map = join('maps', String(run), type, `${name}.${isFloat ? 'tiff' : 'png'}`);
  const path = join(folder, map);
  mkdirSync(dirname(path), { recursive: true });
  const values = noise(64 * 64, run);
  if (isFloat) writeFileSync(path, await encodeFloatTiff(Float32Array.from(values), 64, 64));
  else
    await sharp(values, { raw: { width: 64, height: 64, channels: 1 } })
      .png()
      .toFile(path);
  return map;
}

/** Writes an evaluation's pictures and its report. Returns the path of the report. */
export async function writeReportOf(folder: string, { images, shots }: Settings): Promise<string> {
  const types = ['crack', HOSTILE.type];
  const testing = new Map();
  for (const [t, type] of types.entries()) {
    const examples = Array.from({ length: images }, async (_, i) => ({
      name: `00${i} #?%.png`,
      image: await writeImage(join(folder, 'data', `test ${t}`, `${i} #?%.png`), i + 100 * t),
      mask: await writeMask(join(folder, 'data', `mask ${t}`, `${i}.png`), i),
    }));
    testing.set(type, await Promise.all(examples));
  }
  const testingGood = [await writeImage(join(folder, 'data', 'test', 'good', '0.png'), 7)];
  const out = join(folder, 'out');
  const runs: EvaluationRun[] = [];
  for (const count of shots ?? [undefined]) {
    for (const [number, { row, detector, value }] of LINES.entries()) {
      const own = value + (count ?? 0) / 100;
      const isFloat = detector !== 'unet';
      const tested = (type: string, name: string) => writeMap(out, number, type, name, isFloat);
      const byType = Object.fromEntries(types.map((type, i) => [type, scores(own - i / 10)]));
      const range = isFloat ? { range: [0, 255] as [number, number] } : {};
      const all = types.flatMap((type, t) =>
        Array.from({ length: images }, async (_, i) => {
          const name = `00${i} #?%.png`;
          // The last image is the worst one.
          return { type, name, map: await tested(String(t), String(i)), ...range, pixelAp: own * (1 - i / images) };
        }),
      );
      const good = [{ name: '0.png', map: await tested('good', '0'), ...range, meanProbability: 0.1 }];
      runs.push({
        ...{ row, detector, seed: 0, ...(count !== undefined && { shots: count }) },
        ...{ types: byType, average: meanScores(Object.values(byType)), together: scores(own) },
        ...{ defects: 4, emptyMasks: 0, seconds: 1, cost: { fitSeconds: 10 * number, imageMs: 2, megabytes: 3 } },
        ...{ images: await Promise.all(all), good },
      });
    }
  }
  const evaluation: Evaluation = {
    ...{ category: HOSTILE.type, types, rows: LINES.map(({ row }) => row), detectors: ['unet', 'patchcore'], maps: [] },
    ...(shots && { shots }),
    protocol: { name: 'small', ...PROTOCOLS.small, detectors: {} },
    ...{
      tested: { crack: images },
      training: { crack: 2 },
      leftOut: 0,
      quality: [],
      networks: [],
      synthetic: 0,
      runs,
      bestEpoch: false,
    },
  };
  const generated = [{ folder: 'x', types: new Map([['crack', testing.get('crack')]]) }];
  const rows = [{ name: HOSTILE.row, source: 'pairs', real: false, generated }];
  const split = { testing, training: testing, testingGood };
  const path = join(out, 'report.html');
  await writeEvaluationReport(path, { rows, split } as unknown as Evaluator, evaluation);
  return path;
}
