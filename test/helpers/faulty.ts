/** Makes annotations of small photographs with faults, and checks them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { imagesOfDataset } from '../../lib/dataset/dataset-images.js';
import { type CategoryCheck, check } from '../../lib/jobs/check.js';
import { BOX, cornersOf, photograph, SIZE } from './annotated.js';
import { scratchFolder } from './scratch.js';

const root = scratchFolder();
let made = 0;

/** Makes a folder with photographs of these names. */
export async function folderOf(...names: string[]): Promise<string> {
  const folder = join(root, `data${made++}`);
  mkdirSync(folder);
  for (const name of names) await photograph(join(folder, name));
  return folder;
}

/** Checks a dataset. Expects that opening it fails with the first of the problems. Returns short messages. */
export async function checked(data: string): Promise<CategoryCheck & { messages: string[] }> {
  const { categories } = await check({ data });
  const one = categories[0] as CategoryCheck;
  const messages = one.problems.map(({ message }) => message);
  const opened = Dataset.open(data).then(imagesOfDataset);
  if (messages[0] === undefined) await opened;
  else await expect(opened).rejects.toThrow(messages[0]);
  return { ...one, messages: messages.map((message) => message.replaceAll(data, 'DATA')) };
}

export const usable = ({ types }: CategoryCheck) => types.map(({ type, usable }) => [type, usable]);

export const coco = (names: readonly string[], annotations: readonly object[], more: object = {}) => ({
  categories: [{ id: 1, name: 'crack' }],
  images: names.map((name, i) => ({ id: i + 1, file_name: name, ...SIZE })),
  annotations: annotations.map((one, i) => ({ id: i, category_id: 1, segmentation: [cornersOf(BOX)], ...one })),
  ...more,
});

export const labelme = (name: string, more: object = {}) => {
  const points = [BOX.slice(0, 2), [BOX[2], BOX[1]], BOX.slice(2)];
  return { shapes: [{ label: 'crack', points }], imagePath: name, ...more };
};

export const polygon = (points: string) => `<polygon label="crack" points="${points}"/>`;
export const cvat = (images: readonly { name: string; shapes?: string; width?: number }[]) =>
  `<annotations>${images.map(({ name, shapes = '', width = SIZE.width }) => `<image name="${name}" width="${width}" height="${SIZE.height}">${shapes}</image>`).join('\n')}</annotations>`;

export const datumaro = (items: readonly object[]) => ({
  categories: { label: { labels: [{ name: 'crack' }] } },
  items,
});
export const item = (id: string, annotations: readonly object[], size = [SIZE.height, SIZE.width]) => ({
  ...{ id, annotations: annotations.map((one) => ({ type: 'polygon', label_id: 0, points: cornersOf(BOX), ...one })) },
  image: { path: `${id}.png`, size },
});
