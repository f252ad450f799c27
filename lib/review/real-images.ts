/** Finds what a pair is compared with: the photograph that a defect was placed in, and the nearest real defect. */
import { basename } from 'node:path';
import { fewAtOnce } from '../core/few-at-once.js';
import { type Box, middleOf, type Size } from '../dataset/cut.js';
import { Dataset } from '../dataset/dataset.js';
import { type DefectShape, shapesIn } from '../dataset/defect-shape.js';
import { emptyMask, readExample } from '../dataset/example-file.js';
import { boundingBox } from '../dataset/fit.js';
import { type ImageSource, labelOf, nameOf } from '../dataset/image-source.js';
import { areaOf } from '../dataset/measure-pair.js';
import { type SizeRange, sizeRangeOf } from '../dataset/pair-suspicion.js';
import { photographsOf } from '../dataset/photograph.js';
import type { RealDefect } from './contract.js';

/** A real defect, and where its files are. */
export interface RealExample extends RealDefect {
  source: { image: ImageSource; mask: ImageSource };
  shapes: DefectShape[];
}

/** The mark that a defect or a mask makes in an image. */
interface Mark extends Size {
  area: number;
  box: Box;
}

async function readDefect(type: string, image: ImageSource, maskSource: ImageSource): Promise<RealExample> {
  const { mask } = await readExample({ image, mask: maskSource });
  const box = boundingBox(mask);
  if (!box) throw emptyMask(maskSource);
  const { width, height } = mask;
  const measured = { width, height, area: areaOf(mask), box, shapes: shapesIn(mask) };
  return { name: nameOf(image), type, ...measured, source: { image, mask: maskSource } };
}

/** Returns how far two marks are apart. A factor of e in size counts as much as the whole width of the image. */
function distance(a: Mark, b: Mark): number {
  const [size, place] = [a, b].map(({ width, height, area, box }) => {
    const { x, y } = middleOf(box);
    return [Math.log(area / (width * height)), x / width, y / height] as const;
  }) as [readonly [number, number, number], readonly [number, number, number]];
  return Math.hypot(size[0] - place[0], size[1] - place[1], size[2] - place[2]);
}

/** The real images of a review. Without a category it has no defects, and without photographs it finds none. */
export class RealImages {
  private constructor(
    readonly defects: readonly RealExample[],
    private readonly photographs: ReadonlyMap<string, readonly ImageSource[]>,
  ) {}

  /**
   * Reads the defects of the category `data`, and lists its good photographs and those in `onto`. Throws
   * ERR_DATASET_INVALID with the file that cannot be used.
   */
  static async open({ data, onto }: { data?: string | undefined; onto?: string | undefined }): Promise<RealImages> {
    const defects: RealExample[] = [];
    const photographs = new Map<string, ImageSource[]>();
    const sources = onto === undefined ? [] : await photographsOf(onto);
    if (data !== undefined) {
      const dataset = await Dataset.open(data);
      for (const type of dataset.types) {
        const examples = await dataset.examples(type);
        defects.push(...(await fewAtOnce(examples, ({ image, mask }) => readDefect(type, image, mask))));
      }
      if (onto === undefined) sources.push(...(await dataset.goodImages()));
    }
    for (const source of sources) {
      const name = basename(labelOf(source));
      photographs.set(name, [...(photographs.get(name) ?? []), source]);
    }
    return new RealImages(defects, photographs);
  }

  /** Returns the photograph of a name. If several have it, no one knows which one the pair was made of. */
  photograph(name: string): ImageSource | undefined {
    const found = this.photographs.get(name) ?? [];
    return found.length === 1 ? found[0] : undefined;
  }

  /** Returns the place in the list of the real defect of a type that is nearest in size and position. */
  nearest(type: string, mark: Mark): number | undefined {
    let best: { id: number; apart: number } | undefined;
    for (const [id, defect] of this.defects.entries()) {
      if (defect.type !== type) continue;
      const apart = distance(mark, defect);
      if (best === undefined || apart < best.apart) best = { id, apart };
    }
    return best?.id;
  }

  /** Returns the range of sizes of a type, over the images of this size. Shares of other images mean other sizes. */
  sizeRange(type: string, { width, height }: Size): SizeRange | undefined {
    const same = this.defects.filter((one) => one.type === type && one.width === width && one.height === height);
    return sizeRangeOf(same.map(({ shapes }) => shapes));
  }
}
