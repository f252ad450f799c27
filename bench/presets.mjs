// Usage: node bench/presets.mjs --adapter FILE [--base DIR] [--pairs N] [--settings JSON]
// Compares sampling presets with the default settings. Pairs have the same seeds, and it prints how much the images
// differ and how long both take. --settings is an object of sampling options by name, which replaces the presets.
import { parseArgs } from 'node:util';
import { DualAnoDiff, embedded, Masker, Sampler } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    base: { type: 'string', default: embedded.base },
    pairs: { type: 'string', default: '16' },
    settings: { type: 'string' },
  },
});
if (values.adapter === undefined) throw new Error('Name an adapter: --adapter FILE');
const count = Number(values.pairs);
const candidates = values.settings ? JSON.parse(values.settings) : { fast: { preset: 'fast' } };

const model = await DualAnoDiff.load(values.base);
const sampler = await Sampler.create(model, values.adapter);
const masker = Masker.threshold({ partFill: sampler.adapter.partFill });

async function draw(settings) {
  const start = performance.now();
  const pairs = [];
  for await (const pair of sampler.sample({ count, seed: 1, ...settings })) {
    pairs.push({ ...pair, mask: await masker.mask(pair.part) });
  }
  return { pairs, seconds: (performance.now() - start) / 1000 };
}

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
function psnr(a, b) {
  const error = mean(Array.from(a.data, (value, i) => (value - b.data[i]) ** 2));
  return 10 * Math.log10(255 ** 2 / error);
}
function iou(a, b) {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.data.length; i++) {
    both += Number(a.data[i] > 0 && b.data[i] > 0);
    either += Number(a.data[i] > 0 || b.data[i] > 0);
  }
  return either === 0 ? 1 : both / either;
}

const reference = await draw({});
for (const [name, settings] of Object.entries(candidates)) {
  const fast = await draw(settings);
  const each = (measure) => mean(fast.pairs.map((pair, i) => measure(pair, reference.pairs[i])));
  const result = {
    preset: name,
    ...settings,
    pairs: count,
    seconds: fast.seconds,
    reference_seconds: reference.seconds,
    ratio: fast.seconds / reference.seconds,
    image_psnr: each((a, b) => psnr(a.image, b.image)),
    part_psnr: each((a, b) => psnr(a.part, b.part)),
    mask_iou: each((a, b) => iou(a.mask, b.mask)),
    coverage: mean(fast.pairs.map(({ mask }) => mask.coverage)),
    reference_coverage: mean(reference.pairs.map(({ mask }) => mask.coverage)),
  };
  console.log(JSON.stringify(result));
}
await masker.dispose();
await sampler.dispose();
await model.dispose();
