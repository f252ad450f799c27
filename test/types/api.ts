// Compiled, never run: what the public types accept and refuse, as a user of the package sees them.
import {
  type AdapterConversion,
  type convertAdapter,
  Dataset,
  type DetectedImage,
  Detector,
  DualAnoDiff,
  type DualAnoDiffError,
  encodePng,
  type ImageSource,
  loadBackgrounds,
  type Mask,
  Masker,
  type MaskMethod,
  type Pair,
  PairWriter,
  type PixelData,
  Placer,
  RawImage,
  readImage,
  Sampler,
  Trainer,
  type TrainStep,
} from 'dualanodiff';
import { type DualAnoDiffError as ErrorOfErrors, ModelError } from 'dualanodiff/errors';
import { type Evaluation, Evaluator } from 'dualanodiff/evaluation';
import type { Profile, stopProfile } from 'dualanodiff/profile';
import { begin, decode, encode, PairBatch, type Tensor } from 'dualanodiff/tensors';
import sharp from 'sharp';

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
  await DualAnoDiff.load('base', { lora: [{ scale: 1 }] });

  const trainer = new Trainer(model, { types: ['crack'], rank: 32, background: 'add', window: 256 });
  // @ts-expect-error no type of defect
  new Trainer(model, { rank: 32 });
  for await (const step of trainer.train(await Dataset.open('tile'), { steps: 10, signal })) {
    same<typeof step, TrainStep>(true);
    step.loss.toFixed(2);
  }

  const buffer = Buffer.from('encoded');
  const pixels = { data: new Uint8Array(4), width: 2, height: 2, channels: 1 } as const;
  const inMemory = Dataset.from({
    types: { crack: [{ image: buffer, mask: pixels }], hole: [{ image: 'hole.png', mask: new Uint8Array(9) }] },
    good: [buffer, 'good.png', pixels],
    category: 'tile',
  });
  for await (const _ of trainer.train(inMemory)) break;
  const good = await inMemory.goodImages();
  same<typeof good, ImageSource[]>(true);
  await loadBackgrounds(good, 64, 'crop', 'none');
  const [example] = await inMemory.trainingExamples('crack');
  if (example) await readImage(example.image);
  // @ts-expect-error an image without its mask
  Dataset.from({ types: { crack: [{ image: buffer }] } });
  // @ts-expect-error no list
  Dataset.from({ types: { crack: { image: buffer, mask: buffer } } });

  const masker = await Masker.load();
  await using sampler = await Sampler.create(model, 'crack.safetensors');
  for await (const pair of sampler.sample({ count: 3, scheduler: 'ddim', onProgress: (step, steps) => step / steps })) {
    same<typeof pair, Pair>(true);
    same<typeof pair.attention, RawImage | undefined>(true);
    same<typeof pair.image.channels, 1 | 3>(true);
    await pair.image.toSharp().toFile('x.png');
    await pair.part.toSharp().resize(64).png().toBuffer();
    await using writer = await PairWriter.open('out', { type: 'crack' });
    await writer.write({ ...pair, mask: await masker.maskPair(pair), maskMethod: masker.method });
    await writer.write({ index: 1, seed: 0, image: pixels, part: pixels });
  }
  for await (const pair of model.place('crack.safetensors', { onto: [buffer, 'good.png'], where: pixels, count: 3 })) {
    same<typeof pair.mask, RawImage>(true);
    pair.defects?.[0]?.window.side.toFixed();
  }
  await using placer = await Placer.create(model, 'crack.safetensors');
  // @ts-expect-error no photographs
  placer.place({ count: 3 });
  sampler.sample({ preset: 'fast' });
  // @ts-expect-error an unknown preset
  sampler.sample({ preset: 'slow' });
  // @ts-expect-error an unknown scheduler
  sampler.sample({ count: 1, scheduler: 'guess' });

  const batch: PairBatch = await begin(sampler, { indices: [0], steps: 2 });
  const latents: Tensor = await batch.step();
  same<typeof latents.data, Float32Array>(true);

  same<typeof masker.method, Exclude<MaskMethod, 'exact' | 'placed'>>(true);
  const mask = await masker.mask({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 });
  same<typeof mask, Mask>(true);
  same<typeof mask.coverage, number>(true);
  same<typeof mask.channels, 1>(true);
  await mask.toSharp().toFile('mask.png');

  const read: RawImage = await RawImage.fromSharp(sharp('x.png'));
  const literal: PixelData = { data: read.data, width: 1, height: 1, channels: 3 };
  await encode(model, literal);
  await encodePng(await decode(model, await encode(model, read)));
  // @ts-expect-error no image has two channels
  await encodePng({ data: read.data, width: 1, height: 1, channels: 2 });
  // @ts-expect-error pixels alone are no RawImage
  const _image: RawImage = literal;
  // @ts-expect-error a pair is no picture
  await masker.mask({ index: 0 });

  same<Awaited<ReturnType<typeof convertAdapter>>, AdapterConversion>(true);
  same<DualAnoDiffError['code'], string>(true);

  // A class is the same whichever entry it is taken from.
  same<DualAnoDiffError, ErrorOfErrors>(true);
  const error: DualAnoDiffError = new ModelError('no such file', 'ERR_MODEL_INVALID');
  console.log(error.code, batch instanceof PairBatch);
  const evaluator = await Evaluator.open(await Dataset.open('tile'), { pairs: { ours: 'out' } });
  same<Awaited<ReturnType<typeof evaluator.evaluate>>, Evaluation>(true);
  await using detector = await Detector.fit('unet', await Dataset.open('tile'), {
    tile: 128,
    onProgress: ({ step, steps, loss }) => console.log(step / steps, loss?.toFixed(4)),
  });
  same<Awaited<ReturnType<typeof detector.score>>, DetectedImage>(true);
  await detector.save('tile.safetensors', { thresholds: { pixel: 0.5, image: 0.4 } });
  // @ts-expect-error a detector that does not exist
  await Detector.fit('unett', { good });
  same<Awaited<ReturnType<typeof stopProfile>>, Profile>(true);
}
