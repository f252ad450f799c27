// Compiled, never run: what the public types accept and refuse, as a user of the package sees them.
import {
  type AdapterConversion,
  type convertAdapter,
  Dataset,
  DualAnoDiff,
  type DualAnoDiffError,
  Masker,
  type MaskMethod,
  type Pair,
  type PairBatch,
  type RawImage,
  Sampler,
  type Tensor,
  Trainer,
  type TrainStep,
} from 'dualanodiff';
import { type DualAnoDiffError as ErrorOfErrors, ModelError } from 'dualanodiff/errors';
import { type Evaluation, Evaluator } from 'dualanodiff/evaluation';
import { SAMPLING_PRESETS } from 'dualanodiff/options';
import type { Profile, stopProfile } from 'dualanodiff/profile';
import { PairBatch as BatchClass, type PairBatch as BatchOfTensors } from 'dualanodiff/tensors';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>) => {};

export async function use(signal: AbortSignal): Promise<void> {
  await using model = await DualAnoDiff.load('base', { device: 'cuda:1', dtype: 'bfloat16', signal });
  same<typeof model.info.predictionType, 'epsilon' | 'v_prediction'>(true);
  // @ts-expect-error an unknown precision
  await DualAnoDiff.load('base', { dtype: 'float8' });
  // @ts-expect-error an unknown option
  await DualAnoDiff.load('base', { colour: 'red' });
  // @ts-expect-error a LoRA without its file
  await DualAnoDiff.load('base', { loras: [{ scale: 1 }] });

  const trainer = new Trainer(model, { type: 'crack', rank: 32, background: 'add' });
  // @ts-expect-error no type of defect
  new Trainer(model, { rank: 32 });
  for await (const step of trainer.train(await Dataset.open('tile'), { steps: 10, signal })) {
    same<typeof step, TrainStep>(true);
    step.loss.toFixed(2);
  }

  await using sampler = await Sampler.create(model, 'crack.safetensors');
  for await (const pair of sampler.sample({ count: 3, scheduler: 'ddim', onProgress: (step, steps) => step / steps })) {
    same<typeof pair, Pair>(true);
    same<typeof pair.attention, RawImage | undefined>(true);
  }
  // @ts-expect-error how many?
  sampler.sample({ steps: 3 });
  // @ts-expect-error an unknown scheduler
  sampler.sample({ count: 1, scheduler: 'guess' });

  const batch: PairBatch = await sampler.begin({ indices: [0], steps: 2 });
  const latents: Tensor = await batch.step();
  same<typeof latents.data, Float32Array>(true);

  const masker = await Masker.load();
  same<typeof masker.method, MaskMethod>(true);
  const mask = await masker.mask({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 });
  same<typeof mask.coverage, number>(true);
  // @ts-expect-error a pair is no picture
  await masker.mask({ index: 0 });

  same<Awaited<ReturnType<typeof convertAdapter>>, AdapterConversion>(true);
  same<DualAnoDiffError['code'], string>(true);

  // A class is the same whichever entry it is taken from.
  const sameBatch: BatchOfTensors = batch;
  same<typeof sameBatch, PairBatch>(true);
  same<DualAnoDiffError, ErrorOfErrors>(true);
  const error: DualAnoDiffError = new ModelError('no such file', 'ERR_MODEL_INVALID');
  console.log(error.code, batch instanceof BatchClass);
  const evaluator = await Evaluator.open(await Dataset.open('tile'), { generated: { ours: 'out' } });
  same<Awaited<ReturnType<typeof evaluator.evaluate>>, Evaluation>(true);
  sampler.sample({ ...SAMPLING_PRESETS.fast, count: 3 });
  same<Awaited<ReturnType<typeof stopProfile>>, Profile>(true);
}
