/** Covers maps of scores: their files, and the settings that come with a detector. */
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../lib/dataset/decode.js';
import { encodeFloatTiff } from '../../lib/dataset/float-tiff.js';
import { ImageInMemory } from '../../lib/dataset/image-source.js';
import { detectorInfo, detectorMetadata } from '../../lib/detect/detector-info.js';

const decoded = (file: Buffer) => decodeImage(new ImageInMemory('a map', 'map', file));

describe('a map as a TIFF file', () => {
  it('keeps every bit of scores of any range', async () => {
    const scores = Float32Array.from([-1.5, 0, 1e-30, 1 / 3, 1e20, -7e-8]);
    const { data, width, height, channels } = await decoded(await encodeFloatTiff(scores, 3, 2));
    expect([width, height, channels]).toEqual([3, 2, 1]);
    expect(data).toEqual(scores);
  });

  it('may be a part of a larger array', async () => {
    const scores = Float32Array.from([9, 1, 2, 9]).subarray(1, 3);
    expect((await decoded(await encodeFloatTiff(scores, 2, 1))).data).toEqual(Float32Array.from([1, 2]));
  });
});

describe('the settings of a detector file', () => {
  const file = '/somewhere/detector.safetensors';
  const good = { format: 'dualanodiff-detector', detector: 'unet', backbone: '' };
  const view = { resolution: 128, tiles: true };
  const written = { ...good, ...detectorMetadata(view, { pixel: -0.5, image: 1e-7 }) };

  it('are read as they were written', () => {
    expect(detectorInfo(file, written)).toEqual({
      ...{ name: 'unet', backbone: undefined, ...view, metadata: written },
      thresholds: { pixel: -0.5, image: 1e-7 },
    });
    const plain = { ...good, ...detectorMetadata({ resolution: 256, tiles: false }, undefined) };
    expect(detectorInfo(file, plain)).toMatchObject({ resolution: 256, tiles: false, thresholds: undefined });
  });

  it('are refused with the file and the setting that is damaged', () => {
    for (const [wrong, message] of [
      [{ format: 'dualanodiff-adapter' }, 'is not a detector'],
      [{ resolution: '-128' }, 'resolution'],
      [{ resolution: '1e9' }, 'resolution'],
      [{ resolution: '99999999' }, 'resolution: expected 32 to 4096'],
      [{ resolution: '33' }, 'resolution: expected a multiple of 32'],
      [{ detector: 'efficientad', resolution: '32' }, 'resolution: expected at least 128 for efficientad'],
      [{ tiles: 'maybe' }, 'tiles: expected true or false'],
      [{ image_threshold: 'NaN' }, 'image_threshold: expected a number'],
    ] as const) {
      const read = () => detectorInfo(file, { ...written, ...wrong });
      expect(read).toThrow(message);
      expect(read).toThrow(file);
      expect(read).toThrow(expect.objectContaining({ code: 'ERR_WEIGHTS_INVALID' }));
    }
    expect(() => detectorInfo(file, {})).toThrow('is not a detector');
  });
});
