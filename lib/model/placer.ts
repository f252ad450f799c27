import { z } from 'zod';
import type { NativeExample } from '../addon-types.js';
import { InvalidOptionError, ModelError } from '../core/errors.js';
import type { MaskedPair } from '../dataset/generated-pair.js';
import { EXPECTED_IMAGE, type ImageInput, type ImageSource, isImageInput } from '../dataset/image-source.js';
import { type MissedDefect, missedDefectSchema, readMissedDefects } from '../dataset/missed-defect.js';
import { photographsOf } from '../dataset/photograph.js';
import { openRegions } from '../dataset/place-region.js';
import { checkOptions, given, taskShape } from '../options/check.js';
import type { PlaceSettings } from '../options/generated.js';
import { placeSchema } from '../options/place.js';
import { runNative, type TaskOptions } from '../run-native.js';
import { Adapter } from './adapter.js';
import type { AdapterInfo } from './adapter-info.js';
import type { BaseModel } from './base-model.js';
import { openForegroundSource } from './foreground.js';
import { placeEngine } from './place/engine.js';
import { PlaceFinder } from './place/finder.js';
import { missedPlaces, requireLearned } from './place/missed-places.js';
import { placePairs } from './place/pairs.js';
import { type ResolvedPlacing, resolvePlacing } from './place/settings.js';
import { Sampler } from './sampler.js';

/** Holds the options of {@link Placer.place}. */
export interface PlaceOptions extends Omit<PlaceSettings, 'where' | 'whereNot' | 'like'>, TaskOptions {
  /**
   * Defects are placed in these good photographs: a list of images, a file, a folder, or the good images for training of
   * a dataset in any format.
   */
  onto: string | readonly (ImageInput | ImageSource)[];
  /**
   * Each defect is placed in this region: a box `x,y,width,height` in pixels, a folder with masks named like the
   * photographs, or one mask. With `auto`, the default, places are like those of the training defects.
   */
  where?: ImageInput;
  /** No defect is placed in these regions: a folder of masks, one mask, or a box. */
  whereNot?: ImageInput;
  /**
   * Places are like those of these defects, which a detector missed: about as large, and near the same place of the
   * photograph. It is the file `misses.jsonl` of an evaluation, or a list. Only the defects of `type` count. Without
   * `type`, all must be of the adapter's type.
   */
  like?: string | readonly MissedDefect[];
  /** The placer leaves out the pairs with these indices, for example those of an earlier call. */
  skip?: ReadonlySet<number>;
  /** This function is called after every denoising step of a batch. If it throws, placing ends with its error. */
  onProgress?: (step: number, steps: number) => void;
}

/** Returns the training windows that an adapter stores. */
async function examplesOf({ native }: Adapter): Promise<NativeExample[]> {
  const examples: NativeExample[] = [];
  for (;;) {
    const more = await runNative({}, (_, task) => native.examples(examples.length, task));
    if (more.length === 0) return examples;
    examples.push(...more);
  }
}

const region = z.custom<ImageInput>(isImageInput, `a path, a box x,y,width,height, or ${EXPECTED_IMAGE}`);
const optionsSchema = placeSchema.extend({
  ...taskShape,
  onto: z.custom<PlaceOptions['onto']>(
    (value) => Array.isArray(value) || (typeof value === 'string' && value !== ''),
    'a folder, a file, or a list of images',
  ),
  where: region.default('auto'),
  whereNot: region.optional(),
  like: z
    .union(
      [z.string(), z.array(missedDefectSchema).min(1)],
      'the misses.jsonl of an evaluation, or a list of missed defects',
    )
    .optional(),
  skip: z.custom<ReadonlySet<number>>((value) => value instanceof Set, 'a Set of numbers').optional(),
  onProgress: z
    .custom<NonNullable<PlaceOptions['onProgress']>>((value) => typeof value === 'function', 'a function')
    .optional(),
});

/** Throws ERR_INVALID_OPTION if both options say where defects lie. */
export function refuseLikeWithPlace(like: unknown, where: ImageInput): void {
  if (like === undefined || where === 'auto') return;
  throw new InvalidOptionError(
    'Expected auto for where with like, which says where defects lie: leave out one of them',
  );
}

/**
 * Draws defects into good photographs.
 *
 * @example
 * await using placer = await Placer.create(model, 'crack.safetensors');
 * for await (const pair of placer.place({ onto: 'good', count: 100 })) console.log(pair.index, pair.defects);
 */
export class Placer {
  /** These settings of its training decide how the adapter is used. */
  readonly adapter: AdapterInfo;

  private constructor(
    private readonly model: BaseModel,
    private readonly sampler: Sampler,
    private readonly examples: readonly NativeExample[],
  ) {
    this.adapter = sampler.adapter;
  }

  /**
   * Creates a placer from an adapter or an adapter file. The placer does not need the adapter after this call.
   *
   * Throws ERR_ADAPTER_MISMATCH if the adapter belongs to another base, and ERR_WEIGHTS_INVALID if the file is damaged
   * or stores a setting that is unknown or out of its range.
   */
  static async create(model: BaseModel, adapter: Adapter | string): Promise<Placer> {
    if (typeof adapter === 'string') {
      await using read = await Adapter.load(adapter);
      return await Placer.create(model, read);
    }
    if (!(adapter instanceof Adapter)) {
      throw new InvalidOptionError('Expected an Adapter or a file name for adapter');
    }
    const examples = await examplesOf(adapter);
    requireExamples(adapter, examples);
    return new Placer(model, await Sampler.create(model, adapter), examples);
  }

  /**
   * Completes the settings with those of the adapter and the base. Throws ERR_INVALID_OPTION.
   * @internal
   */
  resolve(settings: PlaceSettings): ResolvedPlacing {
    const { where, whereNot: _, count: __, like, ...checked } = checkOptions(placeSchema, settings);
    refuseLikeWithPlace(like, where);
    return resolvePlacing(checked, this.model, this.adapter, this.examples, where === 'auto');
  }

  /**
   * Yields pairs 0 to `count` - 1 of a seed, except those in `skip`. Each shows a good photograph with a defect at full
   * size: outside of the defects, it is the photograph itself. Pair k uses photograph k, or starts again at the first
   * one. It depends on the seed and on k, but not on the batch size.
   *
   * A defect that is invisible, that hardly stands out from its ground, or whose mask does not fit is drawn again, up to
   * three times. A pair whose defects stay invisible is left out.
   *
   * Throws ERR_DATASET_INVALID with the photograph or mask that cannot be used, or that leaves no place for a defect.
   * Throws ERR_INVALID_OPTION, ERR_NON_FINITE, ERR_OUT_OF_MEMORY, and ERR_ABORTED.
   */
  async *place(options: PlaceOptions): AsyncGenerator<MaskedPair, void, undefined> {
    const { onto, where, whereNot, like, count, skip, signal, onProgress, ...settings } = checkOptions(
      optionsSchema,
      options,
    );
    const isAutomatic = where === 'auto';
    refuseLikeWithPlace(like, where);
    const resolved = resolvePlacing(settings, this.model, this.adapter, this.examples, isAutomatic);
    const missed = typeof like === 'string' ? await readMissedDefects(like) : like;
    if (missed && settings.type === undefined) requireLearned(missed, [resolved.type]);
    const photographs = await photographsOf(onto);
    const { perPhotograph, seed } = settings;
    const { native, typeIndex, window, examples, centres, batchSize, readsForeground } = resolved;
    const { foregroundMasks, foregroundWeights } = settings;
    await using opened = readsForeground
      ? await openForegroundSource(given({ foregroundMasks, foregroundWeights }), this.model.info.device)
      : undefined;
    const engine = placeEngine(this.sampler, native, { signal, onProgress });
    const finder = new PlaceFinder(engine, {
      ...{ seed, type: typeIndex, window, examples, centres, needsForeground: this.adapter.background !== 'off' },
      resolution: native.width,
      startsFromDefect: native.strength < 1,
      missed: missed && missedPlaces(missed, resolved.type),
      foreground: opened?.source,
      where: isAutomatic ? undefined : await openRegions('where', where, photographs),
      whereNot: whereNot === undefined ? undefined : await openRegions('whereNot', whereNot, photographs),
    });
    const { partFill } = this.adapter;
    const indices = Array.from({ length: count }, (_, index) => index).filter((index) => !skip?.has(index));
    yield* placePairs(engine, finder, {
      ...{ indices, photographs, perPhotograph, batchSize, seed, partFill },
      signal,
    });
  }

  /** Frees the placer. A second call has no effect. */
  dispose(): Promise<void> {
    return this.sampler.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Throws ERR_WEIGHTS_INVALID for training defects that do not fit the settings beside them, as in an edited file. */
export function requireExamples(
  { source, info }: Pick<Adapter, 'source' | 'info'>,
  examples: readonly Pick<NativeExample, 'region' | 'type' | 'size'>[],
): void {
  const { resolution, types } = info;
  for (const { region, type, size } of examples) {
    const damaged = (what: string) => new ModelError(`${source}: example ${region} ${what}`, 'ERR_WEIGHTS_INVALID');
    if (size !== resolution) throw damaged(`has ${size} pixels a side, but the resolution is ${resolution}`);
    if (type >= Math.max(1, types.length)) throw damaged(`has type ${type}, but there are ${types.length} types`);
  }
}
