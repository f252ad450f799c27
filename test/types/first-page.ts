// Compiled, never run: the first page of the API, and the main job on data in memory, as a user writes them.
import { Adapter, augment, Dataset, DualAnoDiff, type GeneratedPair, type MaskedPair, Sampler } from 'dualanodiff';
import { campaign, type JobEvent, learn } from 'dualanodiff/jobs';

export async function firstPage(buffer: Buffer, signal: AbortSignal, onProgress: (step: { loss: number }) => void) {
  await using model = await DualAnoDiff.load();
  const data = Dataset.from({ types: { crack: [{ image: buffer, mask: buffer }] }, good: [buffer] });
  const adapter = await model.learn(data, { types: ['crack'], steps: 5000, signal, onProgress });
  for await (const pair of model.generate(adapter, { recipe: 'noise', count: 1000, seed: 7, signal })) {
    await pair.image.toSharp().toFile(`${pair.index}.png`);
    await pair.mask.toSharp().toFile(`${pair.index}_mask.png`);
  }
}

export async function parts(model: DualAnoDiff, data: Dataset, signal: AbortSignal) {
  await using adapter: Adapter = await Adapter.load('crack.safetensors', { signal });
  await adapter.save('copy.safetensors');
  await using sampler = await Sampler.create(model, adapter);
  for await (const { part } of sampler.sample()) part.toSharp();
  const bare: AsyncGenerator<GeneratedPair> = model.generate('crack.safetensors', { mask: [] });
  for await (const pair of bare) {
    // @ts-expect-error no mask was asked for
    pair.mask.toSharp();
  }
  const pasted: AsyncGenerator<MaskedPair> = augment(data, { type: 'crack', count: 3, trainImages: '1/3' });
  for await (const { mask } of pasted) mask.toSharp();
  await model.learn(data, { types: ['crack', 'hole'], window: 'off' });
  // @ts-expect-error no size of a window
  await model.learn(data, { types: ['crack'], window: 'large' });
  // @ts-expect-error the type is in the list of types
  await model.learn(data, { types: ['crack'], type: 'crack' });
  // @ts-expect-error a recipe without a model
  model.generate(adapter, { recipe: 'augment' });

  const onEvent = (event: JobEvent) => {
    if (event.event === 'progress') return `${event.done}/${event.total}`;
    return event.event === 'pair' ? event.image : event.message;
  };
  await learn({ data: 'tile', type: 'crack', out: 'crack.safetensors' }, { signal, onEvent });
  const { types } = await campaign({ data: 'tile', recipe: 'augment', out: 'out' });
  // @ts-expect-error an option of training alone
  await campaign({ data: 'tile', flips: false });
  return types.length;
}
