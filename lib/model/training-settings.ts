/** Completes the settings of training and translates them to metadata. */
import type { NativeTrainOptions } from '../addon-types.js';
import type { TrainerOptions } from '../options/generated.js';
import { engineTrainingOptions } from '../options/training.js';
import { metadataKey, NOT_STORED } from './adapter-info.js';
import type { TypePrompts } from './type-prompts.js';

/** These options have no default: a mask model finds the foreground. */
type Foreground = 'foregroundMasks' | 'foregroundWeights';

/** Holds complete settings of training. */
export type ResolvedTraining = Required<Omit<TrainerOptions, Foreground>> & Pick<TrainerOptions, Foreground>;

/** Returns the settings that decide the result of training, as metadata of adapters and checkpoints. */
export function metadataOf(settings: ResolvedTraining, prompts: readonly TypePrompts[]): Record<string, string> {
  const textOf = (value: unknown) => (Array.isArray(value) ? JSON.stringify(value) : String(value));
  const deciding = Object.entries({ ...settings, prompts }).filter(([name]) => !NOT_STORED.includes(name));
  return Object.fromEntries(deciding.map(([name, value]) => [metadataKey(name), textOf(value)]));
}

/** Translates complete settings for the engine. */
export function nativeTraining(
  settings: ResolvedTraining,
  prompts: readonly TypePrompts[],
  initialAdapter: string,
): NativeTrainOptions {
  const { globalPrompt: _, anomalyPrompt: __, ...options } = engineTrainingOptions;
  const unchanged = Object.fromEntries(
    Object.keys(options).map((name) => [name, settings[name as keyof typeof options]]),
  );
  return {
    ...unchanged,
    initialAdapter,
    resolution: settings.resolution,
    globalPrompts: prompts.map(({ global }) => global),
    anomalyPrompts: prompts.map(({ anomaly }) => anomaly),
  } as NativeTrainOptions;
}
