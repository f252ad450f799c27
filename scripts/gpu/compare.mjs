// Usage: node compare.js --device cuda|cpu --base DIR --adapters DIR
// Trains, samples, places and decodes on the CPU and on the device, and compares the results. Prints a line of JSON for
// each check as it ends. pack.mjs bundles this file. On the CPU (a rehearsal) both sides are the CPU.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DualAnoDiff, Masker, Placer, Sampler, Trainer } from '../../dist/index.js';
import { decode, encode, textEncode } from '../../dist/tensors.js';
import { backgroundsOf, example, makeDataset, picture } from './pictures.mjs';

const { values } = parseArgs({
  options: { device: { type: 'string' }, base: { type: 'string' }, adapters: { type: 'string' } },
});
const SIDE = 64;
const STEPS = 3;
mkdirSync(values.adapters, { recursive: true });

let checks = 0;
/** Runs a check, which returns its figures and whether they are good. An error fails it, and the others go on. */
async function check(name, work) {
  const begin = performance.now();
  let row;
  try {
    row = await work();
  } catch (error) {
    row = { ok: false, error: `${error.code ?? ''} ${error.message}` };
  }
  checks++;
  console.log(JSON.stringify({ check: name, ...row, seconds: (performance.now() - begin) / 1000 }));
}

const dataset = makeDataset(SIDE);
const load = (device, dtype) => DualAnoDiff.load(values.base, { device, dtype });
const sides = { host: await load('cpu', 'float32'), there: await load(values.device, 'float32') };

const maxOf = (numbers) => numbers.reduce((most, x) => Math.max(most, x), 0);
/** Returns the mean difference of the bytes of two lists of images, in levels of 256. */
function levels(images, others) {
  let sum = 0;
  let count = 0;
  images.forEach(({ data }, i) => {
    for (let k = 0; k < data.length; k++) sum += Math.abs(data[k] - others[i].data[k]);
    count += data.length;
  });
  return count > 0 && images.length === others.length ? sum / count : Number.NaN;
}
/** Returns the largest difference of two tensors, relative to the largest number of the second one. */
function difference(a, b) {
  const error = maxOf(Array.from(a.data, (x, i) => Math.abs(x - b.data[i])));
  return a.data.length === b.data.length ? error / maxOf(Array.from(b.data, Math.abs)) : Number.NaN;
}

/** Trains and saves an adapter. Returns its losses. */
async function train(model, file, options) {
  const settings = { types: ['stain'], resolution: SIDE, rank: 4, batchSize: 2, window: 'off', learningRate: 1e-3 };
  await using trainer = new Trainer(model, { ...settings, foregroundMasks: 'none', ...options });
  const losses = [];
  for await (const { loss } of trainer.train(dataset, { steps: STEPS })) losses.push(loss);
  await trainer.save(file);
  return losses;
}
const adapter = (name) => join(values.adapters, `${name.replaceAll(' ', '-')}.safetensors`);
const farthest = (losses, others) => maxOf(losses.map((loss, i) => Math.abs(loss / others[i] - 1)));

const MODES = {
  plain: {},
  'gradient checkpointing': { gradientCheckpointing: true },
  'background compensation': { background: 'add' },
  'accumulated batches': { gradientAccumulation: 2 },
};
const expected = {};
for (const [mode, options] of Object.entries(MODES)) {
  expected[mode] = await train(sides.host, adapter(mode), options);
  await check(`training, ${mode}, float32`, async () => {
    const losses = await train(sides.there, adapter(`${mode} there`), options);
    const relative = farthest(losses, expected[mode]);
    return { ok: relative <= 1e-3, figures: { relative, losses } };
  });
}

/** Draws pairs from the adapter that the CPU has trained. */
async function sample(model, mode, options = {}) {
  await using sampler = await Sampler.create(model, adapter(mode));
  const backgrounds = mode === 'background compensation' ? backgroundsOf(SIDE) : undefined;
  const settings = { count: 3, batchSize: 2, steps: 4, scheduler: 'ddim', resolution: SIDE, seed: 3 };
  const images = [];
  for await (const { image, part } of sampler.sample({ ...settings, backgrounds, ...options }))
    images.push(image, part);
  return images;
}
for (const mode of ['plain', 'background compensation']) {
  const onHost = await sample(sides.host, mode);
  await check(`sampling by graph, ${mode}, float32`, async () => {
    const mean = levels(await sample(sides.there, mode), onHost);
    return { ok: mean < 1, figures: { levels: mean } };
  });
  // Attention maps and reused features keep the engine from using graphs.
  await check(`sampling without a graph, ${mode}, float32`, async () => {
    const mean = levels(await sample(sides.there, mode, { attention: true }), onHost);
    return { ok: mean < 1, figures: { levels: mean } };
  });
}
await check('sampling by the preset fast, float32', async () => {
  const options = { preset: 'fast', scheduler: undefined, steps: undefined };
  const mean = levels(await sample(sides.there, 'plain', options), await sample(sides.host, 'plain', options));
  return { ok: mean < 1, figures: { levels: mean } };
});

await check('placing, float32', async () => {
  const place = async (model) => {
    await using placer = await Placer.create(model, adapter('plain'));
    const images = [];
    const settings = { onto: [picture(SIDE, 9)], count: 2, steps: 4, where: '16,16,32,32', seed: 4 };
    for await (const { image, mask } of placer.place(settings)) images.push(image, mask);
    return images;
  };
  const mean = levels(await place(sides.there), await place(sides.host));
  return { ok: mean < 1, figures: { levels: mean } };
});

await check('the autoencoder and the text encoder, float32', async () => {
  const [latents, there] = [await encode(sides.host, picture(SIDE, 5)), await encode(sides.there, picture(SIDE, 5))];
  const images = [await decode(sides.there, latents), await decode(sides.host, latents)];
  const prompts = ['a photo of a stain', ''];
  const [text, textThere] = [await textEncode(sides.host, prompts), await textEncode(sides.there, prompts)];
  const figures = {
    encode: difference(there, latents),
    decode_levels: levels([images[0]], [images[1]]),
    text: difference(textThere, text),
  };
  return { ok: figures.encode < 1e-4 && figures.decode_levels < 0.5 && figures.text < 1e-4, figures };
});

await check('masks', async () => {
  const { image: part } = example(2 * SIDE, 0);
  const masks = [];
  for (const device of ['cpu', values.device]) {
    await using masker = await Masker.load(undefined, { device });
    masks.push(await masker.mask(part));
  }
  const [expectedMask, mask] = masks;
  const differing = levels([mask], [expectedMask]) / 255;
  return { ok: differing < 0.01 && expectedMask.coverage > 0, figures: { differing, coverage: expectedMask.coverage } };
});

for (const dtype of values.device === 'cuda' ? ['bfloat16', 'float16'] : ['bfloat16']) {
  await check(`training and sampling, ${dtype} beside float32`, async () => {
    await using model = await load(values.device, dtype);
    const losses = await train(model, adapter(dtype), {});
    const relative = farthest(losses, expected.plain);
    const images = await sample(model, 'plain');
    const mean = levels(images, await sample(sides.host, 'plain'));
    return { ok: relative < 0.05 && mean < 8, figures: { relative, levels: mean } };
  });
}
for (const model of Object.values(sides)) await model.dispose();
console.log(JSON.stringify({ checks }));
