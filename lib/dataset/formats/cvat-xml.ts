/** Parses the XML files of CVAT piece by piece. What the files hold comes from outside, so that nothing is expanded. */
import { createReadStream } from 'node:fs';
import { SaxesParser } from 'saxes';
import { DatasetError, DualAnoDiffError, withFileErrors } from '../../core/errors.js';

/** An element of a file. Attributes are texts. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  /** The line of the file, from 1, for messages. */
  line: number;
}

/** The element of an image, with those of its shapes and tags. */
export interface CvatImage extends XmlElement {
  shapes: XmlElement[];
}

/** Elements of CVAT are nested about ten levels deep. */
const MAX_DEPTH = 64;
/** The name of the outermost element. */
const ROOT = 'annotations';

/** Collects the elements of images from the events of a parser. */
class Collector {
  readonly images: CvatImage[] = [];
  readonly #path: string[] = [];

  constructor(private readonly file: string) {}

  open({ name, attributes, line }: XmlElement): void {
    const depth = this.#path.push(name) - 1;
    const [root, parent] = this.#path;
    if (root !== ROOT) throw new DatasetError(`${this.file} is not a file of CVAT: its outermost element is ${root}`);
    if (depth > MAX_DEPTH) throw new DatasetError(`${this.file} has more than ${MAX_DEPTH} nested elements`);
    if (depth === 1 && name === 'track') {
      throw new DatasetError(
        `${this.file}: line ${line} has the track of a video: export the task as "CVAT for images 1.1"`,
      );
    }
    if (depth === 1 && name === 'image') this.images.push({ name, attributes, line, shapes: [] });
    if (depth === 2 && parent === 'image') this.images.at(-1)?.shapes.push({ name, attributes, line });
  }

  close(): void {
    this.#path.pop();
  }
}

/**
 * Reads the images of a file of CVAT. Throws ERR_FILE_ACCESS, and ERR_DATASET_INVALID for a file that is cut off or no XML
 * of CVAT, that declares entities, or that holds tracks.
 */
export async function readCvatImages(file: string): Promise<CvatImage[]> {
  const collector = new Collector(file);
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new DatasetError(`${file} has a DOCTYPE, which may declare entities: remove it`);
  });
  parser.on('opentag', ({ name, attributes }) => collector.open({ name, attributes, line: parser.line }));
  parser.on('closetag', () => collector.close());
  const stream = createReadStream(file, 'utf8');
  await withFileErrors('read', file, async () => {
    try {
      for await (const piece of stream) parser.write(piece);
      parser.close();
    } catch (cause) {
      const isReadError = cause instanceof Error && 'code' in cause;
      if (isReadError || cause instanceof DualAnoDiffError) throw cause;
      throw new DatasetError(
        `${file} is not valid XML, it may be cut off (${(cause as Error).message}): export it again`,
        { cause },
      );
    } finally {
      stream.destroy();
    }
  });
  return collector.images;
}

/** The file of another tool may hold an element of this name, too, but not so near its beginning. */
const EXAMINED_BYTES = 4096;

/** Tells by its first characters whether a file is one of CVAT. */
export async function isCvatFile(file: string): Promise<boolean> {
  const stream = createReadStream(file, { encoding: 'utf8', end: EXAMINED_BYTES });
  try {
    for await (const text of stream) return new RegExp(`<${ROOT}[\\s>]`).test(text);
    return false;
  } finally {
    stream.destroy();
  }
}
