/** Functions of this package take images as `PixelData` and return them as `RawImage`. */
import sharp, { type Sharp } from 'sharp';
import { DatasetError, InvalidOptionError } from './errors.js';

/** 1 (grey) or 3 (RGB). */
export type Channels = 1 | 3;

/** Pixels row by row, channels interleaved, one byte each. Functions that take an image accept any object like this. */
export interface PixelData {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
}

/** Says what is wrong with an image, as "Expected X but received Y". Returns undefined for an image that can be used. */
function pixelProblem(image: unknown): string | undefined {
  const { data, width, height, channels } = (image ?? {}) as Partial<PixelData>;
  const isSize = (extent: unknown): extent is number => Number.isSafeInteger(extent) && (extent as number) > 0;
  if ((channels !== 1 && channels !== 3) || !isSize(width) || !isSize(height)) {
    return `Expected an image of 1 or 3 channels but received ${width} x ${height} x ${channels}`;
  }
  const isBytes = data instanceof Uint8Array || (data as unknown) instanceof Uint8ClampedArray;
  if (!isBytes || !(data?.buffer instanceof ArrayBuffer)) {
    return 'Expected a Uint8Array (of memory that is not shared) for the data of an image';
  }
  const size = width * height * channels;
  if (data.length === size) return undefined;
  return `Expected ${size} bytes for an image of ${width} x ${height} x ${channels} but received ${data.length}`;
}

/** Throws ERR_INVALID_OPTION where sizes and bytes disagree. */
export function checkPixels(image: PixelData): void {
  const problem = pixelProblem(image);
  if (problem !== undefined) throw new InvalidOptionError(problem);
}

/** Repeats a grey image in three channels. Throws ERR_INVALID_OPTION where sizes and bytes disagree. */
export function toRgb(image: PixelData): PixelData {
  checkPixels(image);
  const { data, width, height, channels } = image;
  if (channels === 3) return image;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) rgb.fill(data[i] as number, 3 * i, 3 * i + 3);
  return { data: rgb, width, height, channels: 3 };
}

/** Makes one channel of three equal ones. */
const firstChannel = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i] as number);

function isGrey(rgb: Uint8Array): boolean {
  for (let i = 0; i < rgb.length; i += 3) {
    if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return false;
  }
  return true;
}

/**
 * Functions of this package return images as objects of this class, which convert to and from sharp.
 *
 * @example
 * await pair.image.toSharp().resize(256).toFile('pair.png');
 */
export class RawImage implements PixelData {
  /** The bytes are row by row, channels interleaved. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;

  /** The data is not copied. Throws ERR_INVALID_OPTION where sizes and bytes disagree. */
  constructor(pixels: PixelData) {
    checkPixels(pixels);
    this.data = pixels.data;
    this.width = pixels.width;
    this.height = pixels.height;
    this.channels = pixels.channels;
  }

  /** Starts a sharp pipeline with the image. An image of one channel keeps it, so its PNG file is grey. */
  toSharp(): Sharp {
    const { data, width, height, channels } = this;
    const pipeline = sharp(data, { raw: { width, height, channels } });
    return channels === 1 ? pipeline.toColourspace('b-w') : pipeline;
  }

  /**
   * Runs a sharp pipeline and returns its image with 8 bits a channel: grey (1 channel) where the pipeline's input is grey
   * and the pipeline adds no colour, else sRGB (3 channels). Transparency is dropped. The pipeline has to call `autoOrient`
   * itself where the EXIF orientation shall count. The pipeline is not changed and can be used again.
   * Throws ERR_DATASET_INVALID where sharp cannot read its input, and for colours that are neither grey nor RGB.
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

/** A mask has one channel, with 255 where the defect is and 0 elsewhere. */
export class Mask extends RawImage {
  declare readonly channels: 1;
  /** The share of pixels that are set, 0 to 1; 0 says that no defect was found. */
  readonly coverage: number;

  /** The data is not copied. Throws ERR_INVALID_OPTION where sizes and bytes disagree. */
  constructor(pixels: Omit<PixelData, 'channels'>) {
    super({ data: pixels.data, width: pixels.width, height: pixels.height, channels: 1 });
    this.coverage = this.data.reduce((count, value) => count + (value > 0 ? 1 : 0), 0) / this.data.length;
  }
}
