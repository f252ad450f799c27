import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { imagesBelow, imagesIn } from '../../lib/dataset/folders.js';
import { loadBackgrounds } from '../../lib/model/foreground.js';
import { writeCategory, writeExample } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
async function category(count = 2): Promise<string> {
  const folder = join(root, `category${made++}`);
  await writeCategory(folder, 'crack', count);
  return folder;
}
const png = () => sharp({ create: { width: 48, height: 48, channels: 3, background: '#555' } }).png();
async function put(...path: string[]): Promise<string> {
  const file = join(...path);
  mkdirSync(join(file, '..'), { recursive: true });
  await png().toFile(file);
  return file;
}
const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));
const warned = async (about: string) => {
  await setImmediate();
  return warnings.filter((message) => message.includes(about));
};

describe('a category', () => {
  it('has no types and no images where systems and programs leave files', async () => {
    const folder = await category();
    const crack = join(folder, 'test', 'crack');
    for (const name of ['.ipynb_checkpoints', '__MACOSX', '@eaDir', '.git']) await put(folder, 'test', name, '000.png');
    for (const name of ['._000.png', '.DS_Store', 'Thumbs.db', 'desktop.ini', 'notes.txt', '000.json']) {
      writeFileSync(join(crack, name), 'nothing');
    }
    for (const name of ['@eaDir', '.ipynb_checkpoints']) await put(crack, name, '000.png');
    const dataset = await Dataset.open(folder);
    expect(dataset.types).toEqual(['crack']);
    expect((await dataset.examples('crack')).map(({ name }) => name)).toEqual(['000', '001']);
    expect(await warned(folder)).toEqual([]);
    await put(root, '__MACOSX', 'test', 'crack', '000.png');
    const parent = join(root, 'parent');
    for (const name of ['.hidden', '__MACOSX', 'tile']) await writeCategory(join(parent, name), 'crack', 2);
    expect((await Dataset.openAll(parent)).map((one) => one.category)).toEqual(['tile']);
  });

  it('compares names as they are composed', async () => {
    const folder = join(root, 'composed');
    const [type, image] = ['Schräge', 'Bild-ä'];
    await writeExample(folder, type.normalize('NFD'), 'x', 48, 48, [4, 4, 8]);
    await put(folder, 'test', type.normalize('NFD'), `${image.normalize('NFD')}.png`);
    await put(folder, 'ground_truth', type.normalize('NFD'), `${image.normalize('NFC')}_mask.png`);
    const dataset = await Dataset.open(folder);
    expect(dataset.types).toEqual([type.normalize('NFC')]);
    for (const form of ['NFC', 'NFD']) {
      const [example] = await dataset.examples(type.normalize(form));
      expect(example?.name).toBe(image.normalize('NFC'));
      expect(example?.mask).toContain(image.normalize('NFC'));
    }
    mkdirSync(join(folder, 'test', type.normalize('NFC')));
    await expect(Dataset.open(folder)).rejects.toThrow('have the same name, composed differently');
  });

  it('finds masks in every format and case, and refuses two of one image', async () => {
    const folder = join(root, 'formats');
    for (const [i, ending] of ['.PNG', '.Jpg', '.tif', '.webp', '.bmp'].entries()) {
      mkdirSync(join(folder, 'test', 'crack'), { recursive: true });
      mkdirSync(join(folder, 'ground_truth', 'crack'), { recursive: true });
      writeFileSync(join(folder, 'test', 'crack', `00${i}.png`), '');
      writeFileSync(join(folder, 'ground_truth', 'crack', `00${i}_${i === 1 ? 'MASK' : 'mask'}${ending}`), '');
    }
    const dataset = await Dataset.open(folder);
    const masks = (await dataset.examples('crack')).map(({ mask }) => String(mask).split('/').at(-1));
    expect(masks).toEqual(['000_mask.PNG', '001_MASK.Jpg', '002_mask.tif', '003_mask.webp', '004_mask.bmp']);
    writeFileSync(join(folder, 'ground_truth', 'crack', '003_mask.png'), '');
    await expect(dataset.examples('crack')).rejects.toThrow(
      /003\.png has two masks, .*003_mask\.png and .*003_mask\.webp/,
    );
  });

  it('refuses images that would share a mask, and those in folders within a type', async () => {
    const folder = await category();
    const dataset = await Dataset.open(folder);
    writeFileSync(join(folder, 'test', 'crack', '000.jpeg'), '');
    await expect(dataset.examples('crack')).rejects.toThrow(
      /crack\/000\.jpeg and .*crack\/000\.png would share the mask/,
    );
    const nested = await category();
    await put(nested, 'test', 'crack', 'batch1', '002.png');
    await expect((await Dataset.open(nested)).examples('crack')).rejects.toThrow('batch1 is a folder with images');
    const odd = await category();
    mkdirSync(join(odd, 'test', 'crack', '002.png'));
    expect(await (await Dataset.open(odd)).examples('crack')).toHaveLength(2);
  });

  it('names masks without images, and images that are not supported', async () => {
    const folder = await category();
    await put(folder, 'ground_truth', 'crack', '007_mask.png');
    for (const name of ['003.heic', '004.JP2', '005.dcm', '006.pgm']) {
      writeFileSync(join(folder, 'test', 'crack', name), '');
    }
    expect(await (await Dataset.open(folder)).examples('crack')).toHaveLength(2);
    const [unread, unused, ...more] = (await warned(folder)).sort();
    expect(unused).toContain(`Masks in ${join(folder, 'ground_truth', 'crack')} belong to no image: 007_mask.png`);
    expect(unread).toContain('003.heic, 004.JP2, 005.dcm and 1 more');
    expect(more).toEqual([]);
    const only = await category();
    const type = join(only, 'test', 'dent');
    mkdirSync(type);
    writeFileSync(join(type, '000.heic'), '');
    await expect((await Dataset.open(only)).examples('dent')).rejects.toThrow(
      `${type} holds only images in formats that are not supported (000.heic`,
    );
  });

  it('names images without a mask that do not train', async () => {
    const folder = await category(4);
    for (const name of ['001', '003']) rmSync(join(folder, 'ground_truth', 'crack', `${name}_mask.png`));
    const dataset = await Dataset.open(folder);
    expect(await dataset.trainingExamples('crack', 2)).toHaveLength(2);
    expect(await warned(folder)).toEqual([`Images in ${join(folder, 'test', 'crack')} have no mask: 003.png.`]);
    const load = Dataset.load(await dataset.examples('crack'), 32, 'crop');
    await expect(load).rejects.toThrow(/001\.png has no mask: expected .*crack\/001_mask\.png/);
  });

  it('refuses a folder that cannot name a type', async () => {
    const folder = await category();
    mkdirSync(join(folder, 'test', ' crack'));
    await expect(Dataset.open(folder)).rejects.toThrow('cannot be a defect type');
  });

  it('has good images in folders below, and no end of them', async () => {
    const folder = await category();
    const good = join(folder, 'train', 'good');
    const files = [
      await put(good, '9.png'),
      await put(good, 'batch1', '0.png'),
      await put(good, 'batch1', 'a', '1.png'),
    ];
    symlinkSync(good, join(good, 'batch1', 'loop'));
    symlinkSync(join(root, 'nowhere'), join(good, 'gone'));
    expect(await (await Dataset.open(folder)).goodImages()).toEqual(files);
    expect(await imagesBelow(join(folder, 'train', 'none'))).toEqual([]);
    await expect(imagesIn(good)).rejects.toThrow('batch1 is a folder with images');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync(join(folder, 'pipe'), join(good, 'pipe.png'));
    expect(await imagesIn(good, join(good, 'batch1'))).toEqual([join(good, '9.png')]);
    const twins = [join(good, '9.png'), await put(good, 'batch1', '9.png')];
    await expect(loadBackgrounds(twins, 16, 'crop', { folder: good })).rejects.toThrow(
      'would share the foreground mask',
    );
    expect(await loadBackgrounds(twins, 16, 'crop', 'none')).toHaveLength(2);
  });
});
