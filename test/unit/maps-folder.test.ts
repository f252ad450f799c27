import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedDefect, namedGood, openMaps } from '../../lib/evaluate/maps-folder.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;

/** Makes a folder of empty files, and of the lines of `scores.csv`. */
function folderOf(files: readonly string[], scores?: readonly string[]): string {
  const folder = join(root, String(made++));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  mkdirSync(folder, { recursive: true });
  if (scores) writeFileSync(join(folder, 'scores.csv'), `${scores.join('\n')}\n`);
  return folder;
}

const crack = (file: string) =>
  namedDefect('crack', { name: file.replace(/\.\w+$/, ''), image: `/d/test/crack/${file}`, mask: '/m' });
const good = (file: string) => namedGood(`/d/test/good/${file}`);
const tested = [crack('000.png'), crack('001.png'), good('000.png')];
const all = [...tested, crack('002.png'), good('one/003.png')];
const names = (folder: string, files: ReadonlyMap<string, string>) =>
  Object.fromEntries([...files].map(([id, file]) => [id, file.slice(folder.length + 1)]));

describe('a folder of maps', () => {
  it('has a map of each test image, by its name or by its file name, and may have those of other images', async () => {
    const files = ['crack/000.tiff', 'crack/001.png.npy', 'good/000.png', 'crack/002.tiff', 'good/one/003.npy'];
    const folder = folderOf([...files, 'notes.txt', 'crack/.hidden.png']);
    const { files: found, scores } = await openMaps(folder, tested, all);
    expect(names(folder, found)).toEqual({
      'crack/000': 'crack/000.tiff',
      'crack/001': 'crack/001.png.npy',
      'good/000.png': 'good/000.png',
    });
    expect(scores).toBeUndefined();
  });

  it('may have them below test, as the evaluation of MVTec AD expects them', async () => {
    const folder = folderOf(['test/crack/000.tiff', 'test/crack/001.tiff', 'test/good/000.tiff']);
    const { files } = await openMaps(folder, tested, all);
    expect(files.get('crack/001')).toBe(join(folder, 'test/crack/001.tiff'));
  });

  it('tells images apart that differ in their endings', async () => {
    const two = [crack('000.png'), { ...crack('000.jpg'), name: '000 (jpg)' }];
    const folder = folderOf(['crack/000.png.tiff', 'crack/000.jpg.tiff']);
    const { files } = await openMaps(folder, two, two);
    expect([...files.values()].map((file) => file.slice(-12))).toEqual(['000.png.tiff', '000.jpg.tiff']);
    const shared = folderOf(['crack/000.tiff']);
    await expectFailure(openMaps(shared, two, two), 'ERR_DATASET_INVALID', 'would be the map of both crack/000.png');
  });

  const complete = ['crack/000.tiff', 'crack/001.tiff', 'good/000.tiff'];
  it.each<[string, string[]]>([
    ['lacks the maps of 2 of 3 test images: expected crack/001, good/000', ['crack/000.tiff']],
    ['1 maps belong to no image of the dataset', [...complete, 'crack/004.tiff']],
    ['1 maps belong to no image of the dataset', [...complete, 'scratch/000.tiff']],
    ['are two maps of one image', [...complete, 'crack/000.png']],
  ])('is refused where it %s', async (text, files) => {
    await expectFailure(openMaps(folderOf(files), tested, all), 'ERR_DATASET_INVALID', text);
  });

  it('is refused where it does not exist', async () => {
    const absent = join(root, 'absent');
    await expectFailure(openMaps(absent, tested, all), 'ERR_FILE_ACCESS', absent);
  });

  it('may have scores of images', async () => {
    const lines = ['image,score', 'crack/000.png,-3.5', 'crack/001,1e9', 'good/000,0', 'crack/002,7', ''];
    const { scores } = await openMaps(folderOf(complete, lines), tested, all);
    expect([...(scores ?? [])]).toEqual([
      ['crack/000', -3.5],
      ['crack/001', 1e9],
      ['good/000.png', 0],
    ]);
  });

  it('may have more columns behind the scores, as detect writes them, and quoted paths', async () => {
    const lines = ['image,score,defect', 'crack/000.png,-3.5,true', '"crack/001",2,false', 'good/000,0,false'];
    const { scores } = await openMaps(folderOf(complete, lines), tested, all);
    expect([...(scores?.values() ?? [])]).toEqual([-3.5, 2, 0]);
  });

  it.each([
    ['beside the maps below test', 'test/scores.csv', ''],
    ['above the maps below test', 'scores.csv', ''],
    ['above the maps below test, with paths below the category', 'scores.csv', 'test/'],
  ])('may have scores %s', async (_, file, prefix) => {
    const folder = folderOf(complete.map((path) => `test/${path}`));
    const listed = ['crack/000.png,-3.5', 'crack/001.png,2', 'good/000.png,0'].map((line) => prefix + line);
    const others = ['train/good/000.png,9', 'ground_truth/crack/000_mask.png,9'];
    const lines = ['image,score', ...listed, ...(prefix === '' ? [] : others)];
    writeFileSync(join(folder, file), lines.join('\n'));
    const { scores } = await openMaps(folder, tested, all);
    expect([...(scores?.values() ?? [])]).toEqual([-3.5, 2, 0]);
  });

  it('is refused if it has two lists of scores', async () => {
    const list = 'image,score\ncrack/000,1\ncrack/001,2\ngood/000,3\n';
    const folder = folderOf(complete.map((path) => `test/${path}`));
    for (const file of ['scores.csv', 'test/scores.csv']) writeFileSync(join(folder, file), list);
    await expectFailure(openMaps(folder, tested, all), 'ERR_DATASET_INVALID', 'are two lists of scores');
  });

  it.each<[string, string[]]>([
    ['Expected image,score in the first line', ['path,score', 'crack/000,1']],
    ['Expected an image and its finite score in line 2', ['image,score', 'crack/000,NaN']],
    ['Expected an image and its finite score in line 2', ['image,score', 'crack/000,']],
    ['Expected an image and its finite score in line 3', ['image,score', 'crack/000,1', 'crack/001']],
    ['names crack/009, which the dataset does not have', ['image,score', 'crack/009,1']],
    ['crack/000 is listed twice', ['image,score', 'crack/000,1', 'crack/000,2']],
    ['has no score of good/000.png', ['image,score', 'crack/000,1', 'crack/001,2']],
  ])('has scores that are refused: %s', async (text, lines) => {
    await expectFailure(openMaps(folderOf(complete, lines), tested, all), 'ERR_DATASET_INVALID', text);
  });
});
