/** Reads images of classes, in which the colour or the number of each pixel names the type of its defect. */
import { DatasetError } from '../../core/errors.js';
import { type Decoded, decodeImage } from '../decode.js';
import { stemOf } from '../folders.js';
import { ImageInMemory } from '../image-source.js';
import { typeOf } from './annotated.js';

/** The names of classes by colour (0xRRGGBB) and, for grey images, by number. Names of the background are undefined. */
export interface Classes {
  byColour: ReadonlyMap<number, string | undefined>;
  byNumber: ReadonlyMap<number, string | undefined>;
  /** The file that lists the classes, for messages. */
  listedIn: string;
}

/** Calls `visit` with the colour or number of each pixel. */
function forEachPixel({ data, channels, alpha }: Decoded, visit: (value: number, index: number) => void): void {
  const colours = channels - (alpha ? 1 : 0);
  for (let i = 0, at = 0; at < data.length; i++, at += channels) {
    const red = data[at] as number;
    visit(colours === 1 ? red : (red << 16) | ((data[at + 1] as number) << 8) | (data[at + 2] as number), i);
  }
}

async function decodeClasses(file: string): Promise<Decoded & { isGrey: boolean }> {
  const image = await decodeImage(file);
  if (image.lossy) {
    throw new DatasetError(`${file} is compressed with loss, which changes the colours of classes: save it as PNG`);
  }
  return { ...image, isGrey: image.channels - (image.alpha ? 1 : 0) === 1 };
}

/** Returns the name of a pixel's class. Throws ERR_DATASET_INVALID if no class has its colour or number. */
function nameOf(value: number, isGrey: boolean, classes: Classes, file: string): string | undefined {
  const names = isGrey ? classes.byNumber : classes.byColour;
  if (names.has(value)) return names.get(value);
  const what = isGrey
    ? `the number ${value}`
    : `the colour ${[value >> 16, (value >> 8) & 255, value & 255].join(',')}`;
  throw new DatasetError(`${file} has ${what}, which ${classes.listedIn} does not list: add it there`);
}

/** Returns the masks of the types that an image of classes shows. They are made when they are read. */
export async function masksOfClasses(file: string, classes: Classes): Promise<Map<string, ImageInMemory>> {
  const image = await decodeClasses(file);
  const values = new Set<number>();
  forEachPixel(image, (value) => values.add(value));
  const byType = new Map<string, Set<number>>();
  for (const value of values) {
    const name = nameOf(value, image.isGrey, classes, file);
    if (name === undefined) continue;
    const type = typeOf(name, `A class of ${classes.listedIn}`);
    byType.set(type, (byType.get(type) ?? new Set()).add(value));
  }
  return new Map([...byType].map(([type, own]) => [type, maskOf(file, type, own)]));
}

function maskOf(file: string, type: string, values: ReadonlySet<number>): ImageInMemory {
  return new ImageInMemory(`of ${type} in ${file}`, `${stemOf(file)}_mask`, async () => {
    const image = await decodeClasses(file);
    const { width, height } = image;
    const data = new Uint8Array(width * height);
    forEachPixel(image, (value, i) => {
      if (values.has(value)) data[i] = 255;
    });
    return { data, width, height, channels: 1 as const };
  });
}
