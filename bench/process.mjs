// Usage: node bench/process.mjs [ROUNDS]
// Measures the effect of the package on its process. It prints the longest time that the event loop was blocked while
// the embedded base was loaded, trained and sampled. It also prints the memory over rounds of load, sample and dispose.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Dataset, DualAnoDiff, embedded, Masker, Sampler, Trainer } from '../dist/index.js';

const rounds = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'dualanodiff-bench-'));
const adapter = join(folder, 'adapter.safetensors');
const delay = monitorEventLoopDelay({ resolution: 1 });
const blocked = {};
const watch = async (what, work) => {
  await new Promise((done) => setTimeout(done, 50));
  delay.reset();
  delay.enable();
  const result = await work();
  delay.disable();
  blocked[what] = Number((delay.max / 1e6).toFixed(1));
  return result;
};

const dataset = await Dataset.open(embedded.example);
await watch('opening the engine and loading', async () => (await DualAnoDiff.load(embedded.base)).dispose());
const model = await watch('loading', () => DualAnoDiff.load(embedded.base));
const trainer = new Trainer(model, { types: ['stain'], resolution: 128 });
await watch('training at 128', async () => {
  for await (const _ of trainer.train(dataset, { steps: 6 }));
});
await watch('saving', () => trainer.save(adapter));
const sampler = await watch('opening an adapter', () => Sampler.create(model, adapter));
const masker = await Masker.load();
await watch('sampling and masks at 256', async () => {
  for await (const pair of sampler.sample({ count: 4, steps: 4, resolution: 256, attention: true }))
    await masker.mask(pair.part);
});
for (const one of [masker, sampler, trainer, model]) await one.dispose();

const memory = [];
const start = performance.now();
for (let round = 1; round <= rounds; round++) {
  const own = await DualAnoDiff.load(embedded.base);
  const drawn = await Sampler.create(own, adapter);
  for await (const _ of drawn.sample({ count: 1, steps: 1, resolution: 32 }));
  await drawn.dispose();
  await own.dispose();
  if (round % Math.ceil(rounds / 10) === 0) memory.push(Math.round(process.memoryUsage().rss / 2 ** 20));
}
rmSync(folder, { recursive: true });
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ blocked_ms: blocked, rounds, rss_mib: memory, seconds_a_round: seconds / rounds }));
