/** Completes the settings of training and translates them to metadata. */
import type { TrainerOptions } from '../options/generated.js';
import { metadataKey } from './adapter-info.js';

/** These options have no default: a mask model finds the foreground. */
type Foreground = 'foregroundMasks' | 'foregroundWeights';

/** Holds complete settings of training. */
export type ResolvedTraining = Required<Omit<TrainerOptions, Foreground>> & Pick<TrainerOptions, Foreground>;

/** Fills the dataset's names into a prompt, with spaces instead of underscores. */
export function fillPrompt(template: string, category: string, type: string): string {
  const words = (name: string) => name.replaceAll('_', ' ');
  return template.replaceAll('{category}', words(category)).replaceAll('{type}', words(type));
}

/** Returns the settings that decide the result of training, as metadata of adapters and checkpoints. */
export function metadataOf(settings: ResolvedTraining): Record<string, string> {
  // The digest of the images covers the foregrounds. Gradient checkpointing changes only rounding, so that a run that
  // was out of memory may continue with it.
  const { foregroundMasks: _, foregroundWeights: __, gradientCheckpointing: ___, ...deciding } = settings;
  return Object.fromEntries(Object.entries(deciding).map(([name, value]) => [metadataKey(name), String(value)]));
}
