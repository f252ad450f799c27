// Learns stains from the example set, then writes pairs with masks as a dataset: node examples/script.mjs OUT [STEPS]
import { join } from 'node:path';
import { Dataset, DualAnoDiff, embedded, PairWriter } from 'dualanodiff';

const [out = 'out/example', steps = '80'] = process.argv.slice(2);
const abort = new AbortController();
process.once('SIGINT', () => abort.abort()); // The work ends within one step.
const { signal } = abort;

const model = await DualAnoDiff.load();
const dataset = await Dataset.open(embedded.example);
const onProgress = ({ step, loss }) => {
  if (step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
};
const adapter = await model.learn(dataset, { types: ['stain'], resolution: 64, steps: Number(steps), signal, onProgress });
await adapter.save(join(out, 'stain.safetensors'));

const writer = await PairWriter.open(join(out, 'pairs'), { type: 'stain', adapter: await adapter.digest() });
for await (const pair of model.generate(adapter, { count: 4, signal })) {
  const { image } = await writer.write(pair);
  console.log(`pair ${pair.index}: ${image}`);
}
await writer.close();
await adapter.dispose();
await model.dispose();
