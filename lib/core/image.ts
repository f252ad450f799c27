/** The types of the images that this package takes and returns. */
import sharp, { type Sharp } from 'sharp';
import { DatasetError, InvalidOptionError } from './errors.js';

/** 1 (grey) or 3 (RGB). */
export type Channels = 1 | 3;

/**
 * An image of one byte per channel, row by row, with interleaved channels. Functions that take an image accept any
 * object of this shape.
 */
export interface PixelData {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
}

/** Describes why an input is not a valid image ("Expected X but received Y"). Returns undefined for a valid one. */
function pixelProblem(image: unknown): string | undefined {
  const { data, width, height, channels } = (image ?? {}) as Partial<PixelData>;
  const isSize = (extent: unknown): extent is number => Number.isSafeInteger(extent) && (extent as number) > 0;
  if ((channels !== 1 && channels !== 3) || !isSize(width) || !isSize(height)) {
    return `Expected an image of 1 or 3 channels but received ${width} x ${height} x ${channels}`;
  }
  const isBytes = data instanceof Uint8Array || (data as unknown) instanceof Uint8ClampedArray;
  if (!isBytes || !(data?.buffer instanceof ArrayBuffer)) {
    return 'Expected a Uint8Array that does not use shared memory for the data of an image';
  }
  const size = width * height * channels;
  if (data.length === size) return undefined;
  return `Expected ${size} bytes for an image of ${width} x ${height} x ${channels} but received ${data.length}`;
}

/** Returns true for a valid image. */
export const isPixels = (image: unknown): image is PixelData => pixelProblem(image) === undefined;

/** Throws ERR_INVALID_OPTION if the number of bytes does not match the size. */
export function checkPixels(image: PixelData): void {
  const problem = pixelProblem(image);
  if (problem !== undefined) throw new InvalidOptionError(problem);
}

/**
 * Returns the image with three channels. A grey channel is repeated.
 * Throws ERR_INVALID_OPTION if the number of bytes does not match the size.
 */
export function toRgb(image: PixelData): PixelData {
  checkPixels(image);
  const { data, width, height, channels } = image;
  if (channels === 3) return image;
  return { data: repeatGrey(data), width, height, channels: 3 };
}

/** Returns RGB samples whose three channels are those of a grey image. */
export function repeatGrey(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let from = 0, to = 0; from < grey.length; from++) {
    const level = grey[from] as number;
    rgb[to++] = level;
    rgb[to++] = level;
    rgb[to++] = level;
  }
  return rgb;
}

/** Returns the red channel of an RGB image. */
export function firstChannel(rgb: Uint8Array): Uint8Array {
  const red = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < red.length; i++) red[i] = rgb[3 * i] as number;
  return red;
}

/** Returns one channel of an image whose channels are equal, and the image itself if it has colour. */
export function withoutColour(image: RawImage): RawImage {
  const { data, width, height, channels } = image;
  if (channels === 1 || !isGrey(data)) return image;
  return new RawImage({ data: firstChannel(data), width, height, channels: 1 });
}

/** Returns true if the three channels of every pixel are equal. */
export function isGrey(rgb: Uint8Array): boolean {
  for (let i = 0; i < rgb.length; i += 3) {
    if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return false;
  }
  return true;
}

/**
 * The class of the images that this package returns.
 *
 * @example
 * await pair.image.toSharp().resize(256).toFile('pair.png');
 */
export class RawImage implements PixelData {
  /** One byte per channel, row by row, channels interleaved. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;

  /** Does not copy the data. Throws ERR_INVALID_OPTION if the number of bytes does not match the size. */
  constructor(pixels: PixelData) {
    checkPixels(pixels);
    this.data = pixels.data;
    this.width = pixels.width;
    this.height = pixels.height;
    this.channels = pixels.channels;
  }

  /** Starts a sharp pipeline with the image. An image of one channel stays grey, in a PNG file as well. */
  toSharp(): Sharp {
    const { data, width, height, channels } = this;
    const pipeline = sharp(data, { raw: { width, height, channels } });
    return channels === 1 ? pipeline.toColourspace('b-w') : pipeline;
  }

  /**
   * Runs a sharp pipeline and returns its output with 8 bits per channel. The result is grey (1 channel) if the input
   * is grey and the pipeline adds no colour. Otherwise it is sRGB (3 channels). Transparency is removed. The EXIF
   * orientation is applied only if the pipeline does so (`autoOrient`). The pipeline itself does not change.
   * Throws ERR_DATASET_INVALID if sharp cannot read its input, or if the output is neither grey nor RGB.
   */
  static async fromSharp(pipeline: Sharp): Promise<RawImage> {
    try {
      const metadata = await pipeline.clone().metadata();
      const { data, info } = await pipeline
        .clone()
        .removeAlpha()
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      if (channels !== 1 && channels !== 3) throw new Error(`it has ${channels} channels`);
      const hasGreyInput = metadata.channels - (metadata.hasAlpha ? 1 : 0) === 1;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      if (channels === 1 || !hasGreyInput || !isGrey(bytes)) {
        return new RawImage({ data: bytes, width, height, channels });
      }
      return new RawImage({ data: firstChannel(bytes), width, height, channels: 1 });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DatasetError(`The sharp pipeline gives no image: ${reason}`, { cause });
    }
  }
}

/** Returns the share of pixels that a mask marks, 0 to 1. */
export function coverageOf({ data }: PixelData): number {
  let marked = 0;
  for (let i = 0; i < data.length; i++) if ((data[i] as number) > 0) marked++;
  return marked / data.length;
}

/** A mask of a defect: one channel that holds 255 at the defect and 0 elsewhere. */
export class Mask extends RawImage {
  declare readonly channels: 1;
  /** The share of pixels that are set, 0 to 1. It is 0 if no defect was found. */
  readonly coverage: number;

  /** Does not copy the data. Throws ERR_INVALID_OPTION if the number of bytes does not match the size. */
  constructor(pixels: Omit<PixelData, 'channels'>) {
    super({ data: pixels.data, width: pixels.width, height: pixels.height, channels: 1 });
    this.coverage = coverageOf(this);
  }
}
