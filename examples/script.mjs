// Learns stains from the example set and writes pairs with masks as a dataset: node examples/script.mjs OUT [STEPS]
import { join } from 'node:path';
import { Dataset, DualAnoDiff, embedded, PairWriter } from 'dualanodiff';

const [out = 'out/example', steps = '80'] = process.argv.slice(2);
const abort = new AbortController();
process.once('SIGINT', () => abort.abort()); // The work ends within one step.
const { signal } = abort;

const model = await DualAnoDiff.load();
const dataset = await Dataset.open(embedded.example);
const adapter = await model.learn(dataset, {
  types: ['stain'],
  resolution: 64,
  steps: Number(steps),
  out: join(out, 'stain.safetensors'), // The adapter is written there, with a log and checkpoints beside it.
  signal,
  onProgress({ step, loss }) {
    if (step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
  },
});

const source = { type: 'stain', recipe: 'noise', adapter: await adapter.digest() };
const writer = await PairWriter.open(join(out, 'pairs'), source);
for await (const pair of model.generate(adapter, { count: 4, signal })) {
  const { image } = await writer.write(pair);
  console.log(`pair ${pair.index}: ${image}`);
}
await writer.close();
await adapter.dispose();
await model.dispose();
