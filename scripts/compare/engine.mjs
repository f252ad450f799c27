// compare.py runs this program with a JSON job on stdin and reads the engine's answer from stdout. Tensors are { data, shape }.
import { readFileSync } from 'node:fs';
import { DualAnoDiff, Sampler } from '../../dist/index.js';
import { begin, decode, predict, textEncode } from '../../dist/tensors.js';

const job = JSON.parse(readFileSync(0, 'utf8'));
const asTensor = ({ data, shape }) => ({ data: Float32Array.from(data), shape });
const plain = ({ data, shape }) => ({ data: [...data], shape });

const model = await DualAnoDiff.load(job.base, { device: 'cpu', dtype: 'float32', ...job.load });
const answer = { info: model.info };
if (job.prompts) answer.text = plain(await textEncode(model, job.prompts));
if (job.decode) answer.decoded = plain(await decode(model, asTensor(job.decode), { decoder: job.decoder }));
if (job.adapter) {
  const sampler = await Sampler.create(model, job.adapter);
  if (job.prompts) answer.adapterText = plain(await textEncode(sampler, job.prompts));
  if (job.predict) {
    const { latents, timesteps, textStates } = job.predict;
    const rows = { latents: asTensor(latents), timesteps, textStates: asTensor(textStates) };
    answer.prediction = plain(await predict(sampler, rows));
  }
  if (job.sample) {
    const batch = await begin(sampler, job.sample);
    answer.trajectory = [plain(batch.latents)];
    while (!batch.done) answer.trajectory.push(plain(await batch.step()));
    answer.timesteps = batch.timesteps;
    answer.images = (await batch.decode()).map(({ image }) => [...image.data]);
    await batch.dispose();
  }
  await sampler.dispose();
}
await model.dispose();
process.stdout.write(JSON.stringify(answer));
