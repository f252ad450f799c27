// Usage: node bench/detectors.mjs [DETECTOR...] [--steps N] [--protocol small|paper] [--defects] [--json] [--profile]
// Measures what fitting detectors costs: the CPU time of a training step with one thread, and of the whole fit of
// PatchCore on 240 good images, and then of scoring an image. It makes the images. A fit of N steps (20 by default)
// stands for a whole one, so a detector that learns in two phases does half of the steps in each. The first two steps
// are not measured, and neither is the first image.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

process.env.OMP_NUM_THREADS ??= '1';
const { Dataset, Detector } = await import('../dist/index.js');
const { startProfile, stopProfile } = await import('../dist/profile.js');
const { detectors } = await import('../dist/options/names.js');

const { values, positionals } = parseArgs({
  options: {
    steps: { type: 'string', default: '20' },
    protocol: { type: 'string', default: 'small' },
    defects: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : detectors;
const [GOOD, DEFECTS, SCORED, SIDE, WARM_UP] = [240, 24, 20, 256, 2];
const iterations = Number(values.steps);
const folder = mkdtempSync(join(tmpdir(), 'dualanodiff-bench-'));

/** Makes a grained surface under light from one side. */
async function surface(index) {
  const noise = { type: 'gaussian', mean: 128, sigma: 24 };
  const grain = sharp({ create: { width: SIDE, height: SIDE, channels: 3, noise } }).blur(0.8);
  const shade = Buffer.from(
    `<svg width="${SIDE}" height="${SIDE}"><linearGradient id="a" gradientTransform="rotate(${index * 7})"><stop stop-color="#b98"/><stop offset="1" stop-color="#567"/></linearGradient><rect width="100%" height="100%" fill="url(#a)"/></svg>`,
  );
  return sharp(await grain.png().toBuffer())
    .composite([{ input: shade, blend: 'soft-light' }])
    .png()
    .toBuffer();
}

async function writeData() {
  for (const place of ['train/good', 'test/hole', 'ground_truth/hole'])
    mkdirSync(join(folder, place), { recursive: true });
  for (let index = 0; index < GOOD + DEFECTS; index++) {
    const name = String(index).padStart(4, '0');
    const image = sharp(await surface(index));
    if (index < GOOD) {
      await image.toFile(join(folder, 'train/good', `${name}.png`));
      continue;
    }
    const box = `x="${20 + ((index * 31) % 180)}" y="${20 + ((index * 53) % 180)}" width="40" height="30"`;
    const drawn = (back) =>
      Buffer.from(
        `<svg width="${SIDE}" height="${SIDE}">${back}<rect ${box} fill="${back ? 'white' : '#222'}"/></svg>`,
      );
    await image.composite([{ input: drawn('') }]).toFile(join(folder, 'test/hole', `${name}.png`));
    const mask = sharp(drawn('<rect width="100%" height="100%"/>')).removeAlpha().toColourspace('b-w').threshold(128);
    await mask.png().toFile(join(folder, 'ground_truth/hole', `${name}_mask.png`));
  }
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function measure(name, dataset) {
  const isTrained = name !== 'patchcore';
  const settings = {
    protocol: values.protocol,
    ...(isTrained && { iterations }),
    ...(values.defects && { defects: 'pairs' }),
  };
  let [start, count, last] = [cpuSeconds(), 0, 0];
  const onProgress = ({ step, steps }) => {
    if (isTrained && step <= WARM_UP) start = cpuSeconds();
    else count = isTrained ? step - WARM_UP : 1;
    if (step === steps) last = cpuSeconds();
  };
  if (values.profile) await startProfile();
  const detector = await Detector.fit(name, dataset, { ...settings, onProgress });
  if (values.profile) {
    const { operations } = await stopProfile();
    for (const { name: operation, calls, ownSeconds } of operations.slice(0, 25)) {
      console.log(`  ${operation.padEnd(60)} ${String(calls).padStart(7)} ${ownSeconds.toFixed(3)} s`);
    }
  }
  const images = (await dataset.goodImages('train')).slice(0, SCORED + 1);
  await detector.score(images[0]);
  const before = cpuSeconds();
  for (const image of images.slice(1)) await detector.score(image);
  const scoring = (cpuSeconds() - before) / SCORED;
  await detector.dispose();
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  const result = { name, step_s: (last - start) / count, score_s: scoring, peak_mib: peak };
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(
      `${name.padEnd(15)} ${isTrained ? 'step' : 'fit'} ${result.step_s.toFixed(3)} s  image ${(1000 * scoring).toFixed(1)} ms  ${peak} MiB`,
    );
}

try {
  await writeData();
  const dataset = await Dataset.open(folder);
  for (const name of names) await measure(name, dataset);
} finally {
  rmSync(folder, { recursive: true });
}
