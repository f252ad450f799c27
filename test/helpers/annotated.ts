import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readExample } from '../../lib/dataset/example-file.js';

/** The size of every image, and the box of pixels that a defect covers: left, top, right, bottom, the last two excluded. */
export const SIZE = { width: 40, height: 30 };
export const BOX = [5, 6, 17, 14] as const;

export type Box = readonly [number, number, number, number];

/** Writes a text or JSON file with the folders above it. */
export function write(file: string, content: unknown): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** Writes a photograph, or a picture of another colour and size. */
export async function photograph(file: string, colour = '#888', size = SIZE): Promise<string> {
  mkdirSync(dirname(file), { recursive: true });
  await sharp({ create: { ...size, channels: 3, background: colour } }).toFile(file);
  return file;
}

/** Writes a picture in which the boxes have colours, in front of black. */
export async function boxes(file: string, list: readonly { box: Box; colour: readonly [number, number, number] }[]) {
  const { width, height } = SIZE;
  const data = Buffer.alloc(width * height * 3);
  for (const { box, colour } of list) {
    for (let y = box[1]; y < box[3]; y++) {
      for (let x = box[0]; x < box[2]; x++) data.set(colour, 3 * (y * width + x));
    }
  }
  mkdirSync(dirname(file), { recursive: true });
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(file);
  return file;
}

/** The corners of a box, as x and y in turn. */
export const cornersOf = ([left, top, right, bottom]: Box) => [left, top, right, top, right, bottom, left, bottom];

/** The run lengths of a box, down one column after the other. */
export function runsOf([left, top, right, bottom]: Box): number[] {
  const { height, width } = SIZE;
  const counts = [left * height + top];
  for (let x = left; x < right; x++) counts.push(bottom - top, height - bottom + top);
  counts.push((counts.pop() as number) + (width - right) * height - top);
  return counts;
}

/** The run lengths in COCO's compressed form. */
export function compressed(counts: readonly number[]): string {
  let text = '';
  for (const [i, count] of counts.entries()) {
    let value = i > 2 ? count - (counts[i - 2] as number) : count;
    for (;;) {
      const bits = value & 31;
      value >>= 5;
      const isLast = (bits & 16) === 0 ? value === 0 : value === -1;
      text += String.fromCharCode(48 + bits + (isLast ? 0 : 32));
      if (isLast) break;
    }
  }
  return text;
}

/** The box around the marked pixels of every example, by type and name. Each box must be full. */
export async function boxesOf(dataset: Dataset): Promise<Record<string, Record<string, number[]>>> {
  const found: Record<string, Record<string, number[]>> = {};
  for (const type of dataset.types) {
    const boxesOfType: Record<string, number[]> = {};
    found[type] = boxesOfType;
    for (const example of await dataset.examples(type)) {
      const { mask } = await readExample(example);
      const marked = [...mask.data.entries()].filter(([, value]) => value > 0).map(([i]) => i);
      const xs = marked.map((i) => i % mask.width);
      const ys = marked.map((i) => Math.floor(i / mask.width));
      const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1] as const;
      const isFull = marked.length === (box[2] - box[0]) * (box[3] - box[1]);
      boxesOfType[example.name] = isFull ? [...box] : [...box, marked.length];
    }
  }
  return found;
}

export const opened = async (path: string) => boxesOf(await Dataset.open(path));
