import { InvalidOptionError } from './errors.js';

/** Pixels, row by row, channels interleaved: 3 (RGB) or 1 (grey) bytes a pixel. */
export interface RawImage {
  data: Uint8Array;
  width: number;
  height: number;
  channels: number;
}

/** The image with three channels; grey is repeated. Throws ERR_INVALID_OPTION when sizes and bytes disagree. */
export function toRgb(image: RawImage): RawImage {
  const { data, width, height, channels } = (image ?? {}) as RawImage;
  const isSize = (extent: unknown) => Number.isSafeInteger(extent) && (extent as number) > 0;
  if ((channels !== 1 && channels !== 3) || !isSize(width) || !isSize(height)) {
    throw new InvalidOptionError(
      `Expected an image of 1 or 3 channels but received ${width} x ${height} x ${channels}`,
    );
  }
  const isBytes = [Uint8Array, Uint8ClampedArray].some((type) => data instanceof type);
  if (!isBytes || !(data.buffer instanceof ArrayBuffer)) {
    throw new InvalidOptionError('Expected a Uint8Array (of memory that is not shared) for the data of an image');
  }
  if (data.length !== width * height * channels) {
    throw new InvalidOptionError(
      `Expected ${width * height * channels} bytes for an image of ${width} x ${height} x ${channels} but received ${data.length}`,
    );
  }
  if (channels === 3) return image;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) rgb.fill(data[i] as number, 3 * i, 3 * i + 3);
  return { data: rgb, width, height, channels: 3 };
}
