/** Makes the pictures of the pairs of a report, and measures the pairs. */
import { join } from 'node:path';
import type { Shape } from '../components/pair.js';
import { type PixelData, type RawImage, toRgb } from '../core/image.js';
import { shapesIn } from '../dataset/defect-shape.js';
import type { WritablePair } from '../dataset/generated-pair.js';
import { readImage } from '../dataset/image-file.js';
import { measureMask, measurePair, type PairMeasures } from '../dataset/measure-pair.js';
import { FILE_KINDS, type PairRecord } from '../dataset/pair-record.js';
import type { PairBytes } from '../dataset/pair-writer.js';
import { shrunk } from '../dataset/thumbnail-file.js';
import { outlined } from './overlay.js';
import type { Picture } from './page/pair-list.js';
import type { Thumbnails } from './thumbnails.js';

/** The files of a pair, whose paths are relative to the folder of the pairs. */
type PairFiles = Pick<PairRecord, 'image' | 'part' | 'mask'>;

/** What a report shows of the files of a pair. */
export interface ShownFiles {
  measures: PairMeasures;
  shapes: Shape[];
  /** These are empty if the files cannot be used. */
  pictures: Picture[];
}

/** The pixels of a pair, which may have to be decoded. */
interface PairPixels {
  /** RGB. */
  image(): Promise<PixelData>;
  part(): Promise<PixelData>;
  mask: PixelData | undefined;
}

/**
 * The pictures and measures of pairs. Those of a pair that was just written can be made from its pixels, because decoding
 * its files again takes longer than making the pictures.
 */
export class PairPictures {
  readonly #kept = new Map<number, { files: PairFiles; shown: ShownFiles }>();

  /** `folder` holds the pairs. */
  constructor(
    private readonly thumbnails: Thumbnails,
    private readonly folder: string,
  ) {}

  /** Makes and keeps what is shown of a pair that was just written. `bytes` are those of its files. */
  async keep(record: PairRecord, { image, part, mask }: WritablePair, bytes: PairBytes): Promise<void> {
    const { image: imageFile, part: partFile, mask: maskFile } = record;
    for (const kind of FILE_KINDS) {
      const [file, content] = [record[kind], bytes[kind]];
      if (file !== undefined && content) this.thumbnails.setDigestOf(join(this.folder, file), content);
    }
    const files = { image: imageFile, part: partFile, ...(maskFile !== undefined && { mask: maskFile }) };
    const pictures = await this.#draw(files, { image: async () => toRgb(image), part: async () => toRgb(part), mask });
    const { width, height } = image;
    const measures = { width, height, ...(mask ? measureMask(mask) : { area: 0, box: null }) };
    this.#kept.set(record.index, { files, shown: { measures, shapes: mask ? shapesIn(mask) : [], pictures } });
  }

  /** Returns what is shown of a pair, whose files are read unless it was kept. */
  async of(record: PairRecord, { needsPictures }: { needsPictures: boolean }): Promise<ShownFiles> {
    const kept = this.#kept.get(record.index);
    const isSame = (['image', 'part', 'mask'] as const).every((kind) => kept?.files[kind] === record[kind]);
    if (kept && isSame) return kept.shown; // Otherwise a review has given the pair another mask.
    const { measures, mask } = await measurePair(this.folder, record);
    const shapes = mask ? shapesIn(mask) : [];
    if (!needsPictures || measures.problem !== undefined) return { measures, shapes, pictures: [] };
    const read = (file: string) => () => readImage(join(this.folder, file));
    const pixels = { image: read(record.image), part: read(record.part), mask };
    return { measures, shapes, pictures: await this.#draw(record, pixels) };
  }

  async #draw(files: PairFiles, pixels: PairPixels): Promise<Picture[]> {
    const [image, part] = [join(this.folder, files.image), join(this.folder, files.part)];
    // The image is needed twice.
    let small: Promise<RawImage> | undefined;
    const smallImage = () => {
      small ??= pixels.image().then((whole) => shrunk(whole));
      return small;
    };
    const show = async (kind: string, file: string, read: () => Promise<PixelData>) => ({
      kind,
      ...(await this.thumbnails.add('image', [file], read)),
    });
    const pictures = [await show('image', image, smallImage), await show('part', part, pixels.part)];
    const { mask } = pixels;
    if (files.mask === undefined || mask === undefined) return pictures;
    const maskFile = join(this.folder, files.mask);
    const smallMask = await shrunk(mask);
    const draw = async () => outlined({ image: await smallImage(), mask: smallMask });
    const outline = { kind: 'outline', ...(await this.thumbnails.add('outline', [image, maskFile], draw)) };
    return [...pictures, await show('mask', maskFile, async () => smallMask), outline];
  }
}
