/** The settings of training with nothing left open. */
import type { z } from 'zod';
import type { trainerSchema } from '../options/training.js';
import { metadataKey } from './adapter-info.js';
import type { BaseDefaults } from './base-defaults.js';

/** What a trainer works with. */
export type ResolvedTraining = z.output<typeof trainerSchema> & Omit<BaseDefaults['training'], 'steps'>;

/** A prompt with the dataset's names in it, with spaces for underscores. */
export function fillPrompt(template: string, category: string, type: string): string {
  const words = (name: string) => name.replaceAll('_', ' ');
  return template.replaceAll('{category}', words(category)).replaceAll('{type}', words(type));
}

/** The settings that decide what is learned, as the metadata of adapters and checkpoints. */
export function metadataOf(settings: ResolvedTraining): Record<string, string> {
  // The digest of the images covers where the foregrounds came from. Checkpointing changes nothing but rounding, so that a
  // run that was out of memory may continue with it.
  const { foregroundMasks: _, foregroundWeights: __, gradientCheckpointing: ___, ...deciding } = settings;
  return Object.fromEntries(Object.entries(deciding).map(([name, value]) => [metadataKey(name), String(value)]));
}
