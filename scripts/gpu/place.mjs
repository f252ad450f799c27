// Usage: node place.js --device cuda|cpu --base DIR --bench FILE --scratch DIR
// Times `place` on a base of Stable Diffusion 1.5's sizes with random weights, which the program FILE writes with the
// tokenizer of the base DIR. On the CPU (a rehearsal) it uses the base DIR itself. pack.mjs bundles this file.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DualAnoDiff, Placer, Trainer } from '../../dist/index.js';
import { makeDataset, picture } from './pictures.mjs';

const text = { type: 'string' };
const { values } = parseArgs({ options: { device: text, base: text, bench: text, scratch: text } });
const isRehearsal = values.device === 'cpu';
const [side, photograph, steps, pairs, dtype] = isRehearsal
  ? [64, 160, 2, 2, 'float32']
  : [512, 2048, 50, 8, 'bfloat16'];
mkdirSync(values.scratch, { recursive: true });
const clock = () => performance.now() / 1000;

let { base } = values;
if (!isRehearsal) {
  const args = ['write-stand-in', '--base', base, '--out', values.scratch];
  ({ base } = JSON.parse(execFileSync(values.bench, args, { encoding: 'utf8' })));
}
const begin = clock();
const model = await DualAnoDiff.load(base, { device: values.device, dtype });
const loaded = clock();
const adapter = join(values.scratch, 'trained.safetensors');
// Places and defects come from the training windows that the adapter stores.
const trainer = new Trainer(model, { types: ['stain'], resolution: side, batchSize: 1, window: side });
for await (const _ of trainer.train(makeDataset(2 * side), { steps: 1 }));
await trainer.save(adapter);
await trainer.dispose();
const placer = await Placer.create(model, adapter);
const onto = [picture(photograph, 8)];
const where = `${side / 4},${side / 4},${side},${side}`;
const place = async (seed) => {
  const start = clock();
  for await (const _ of placer.place({ onto, where, count: pairs, batchSize: pairs, steps, seed }));
  return clock() - start;
};
await place(1); // The first call also captures the graph.
const seconds = await place(2);
console.log(
  JSON.stringify({
    what: 'place',
    batch: pairs,
    steps,
    size: side,
    photograph,
    dtype,
    median_s: seconds,
    a_pair_s: seconds / pairs,
    load_s: loaded - begin,
  }),
);
await placer.dispose();
await model.dispose();
