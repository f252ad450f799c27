/** Encodes the backgrounds of pairs for the engine. */
import type { NativeBackgrounds } from '../addon-types.js';
import { InvalidOptionError } from '../core/errors.js';
import { type PixelData, toRgb } from '../core/image.js';
import { runNative } from '../run-native.js';
import type { BaseModel } from './base-model.js';
import type { ResolvedSampling } from './sampling-settings.js';

/** Holds a good image and its foreground, one channel. Background compensation leaves the foreground out. */
export interface BackgroundInput {
  image: PixelData;
  foreground: PixelData;
}

/** Encodes backgrounds. Throws ERR_INVALID_OPTION for one that is not as large as the pairs. */
export async function encodeBackgrounds(
  model: BaseModel,
  backgrounds: readonly BackgroundInput[],
  settings: ResolvedSampling,
  signal: AbortSignal | undefined,
): Promise<NativeBackgrounds> {
  const { backgroundEvery: every, backgroundNoise, keepBackgroundFeatures: keepFeatures, resolution: size } = settings;
  if (backgroundNoise === 'fresh' && keepFeatures !== 'no') {
    throw new InvalidOptionError(
      `Expected no for keepBackgroundFeatures but received ${keepFeatures}: with fresh noise no two passes are the same`,
    );
  }
  const rows = backgrounds.map(({ image, foreground }) => ({ image: toRgb(image), foreground }));
  for (const { width, height } of rows.flatMap(({ image, foreground }) => [image, foreground])) {
    if (width === size && height === size) continue;
    throw new InvalidOptionError(
      `Expected backgrounds of ${size} x ${size}, as large as the pairs, but received ${width} x ${height}`,
    );
  }
  const native = {
    ...{ every, seed: settings.seed, freshNoise: backgroundNoise === 'fresh', keepFeatures },
    ...{ scaled: settings.backgroundScaled, count: rows.length, width: size, height: size },
  };
  const images = Buffer.concat(rows.map(({ image }) => image.data));
  const foregrounds = Buffer.concat(rows.map(({ foreground }) => foreground.data));
  return runNative({ signal }, (engine, task) =>
    engine.encodeBackgrounds(model.native, native, images, foregrounds, task),
  );
}
