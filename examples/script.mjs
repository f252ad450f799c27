// Learns stains from the example set, then writes pairs with masks as a dataset: node examples/script.mjs OUT [STEPS]
import { join } from 'node:path';
import { Dataset, DualAnoDiff, embedded, Masker, PairWriter, Sampler, Trainer } from 'dualanodiff';

const [out = 'out/example', steps = '80'] = process.argv.slice(2);
const abort = new AbortController();
process.once('SIGINT', () => abort.abort()); // ends within one step

const model = await DualAnoDiff.load(embedded.base);
const trainer = new Trainer(model, { type: 'stain', resolution: 64, trainImages: '1/1' });
const dataset = await Dataset.open(embedded.example);
for await (const { step, loss } of trainer.train(dataset, { steps: Number(steps), signal: abort.signal })) {
  if (step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}
const adapter = join(out, 'stain.safetensors');
await trainer.save(adapter);
await trainer.dispose();

const sampler = await Sampler.create(model, adapter);
const masker = Masker.threshold();
const writer = await PairWriter.open(join(out, 'pairs'), { type: 'stain', adapter, settings: {}, resume: false });
for await (const pair of sampler.sample({ count: 4, steps: 20, scheduler: 'dpmsolver++', signal: abort.signal })) {
  const { image } = await writer.write(pair, { mask: await masker.mask(pair.part), method: masker.method });
  console.log(`pair ${pair.index}: ${image}`);
}
await writer.close();
await sampler.dispose();
await model.dispose();
