import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openGenerated } from '../../lib/evaluate/rows.js';
import { writeCategory } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const [first, missed, one] = ['first', 'missed', 'one'].map((name) => join(folder, name)) as [string, string, string];
const countsIn = async (path: string, types = ['crack', 'test']) => {
  const { types: found } = await openGenerated(path, types);
  return Object.fromEntries([...found].map(([type, examples]) => [type, examples.length]));
};

beforeAll(async () => {
  // `run` writes two types like this, one of which has the name of a folder.
  await writeCategory(join(first, 'crack', 'dataset'), 'crack', 3);
  await writeCategory(join(first, 'test', 'dataset'), 'test', 2);
  // `place --like` writes one type in the first form, and with `--type` in the second.
  await writeCategory(join(missed, 'crack', 'dataset'), 'crack', 4);
  await writeCategory(one, 'crack', 5);
});

describe('generated pairs', () => {
  it('are those of one folder', async () => {
    expect(await countsIn(first)).toEqual({ crack: 3, test: 2 });
    expect(await countsIn(one, ['crack'])).toEqual({ crack: 5 });
  });

  it('are those of several folders together, with + between them', async () => {
    expect(await countsIn(`${first}+${missed}+${one}`)).toEqual({ crack: 12, test: 2 });
    expect(await countsIn(`${missed}+${one}`, ['crack'])).toEqual({ crack: 9 });
  });

  it('are those of a folder with + in its name', async () => {
    const name = join(folder, 'first+missed');
    await writeCategory(name, 'crack', 1);
    expect(await countsIn(name, ['crack'])).toEqual({ crack: 1 });
  });

  it('must be of every evaluated type, and in every folder', async () => {
    const both = `${missed}+${one}`;
    await expectFailure(
      openGenerated(both, ['crack', 'test']),
      'ERR_DATASET_INVALID',
      both,
      'no generated pairs of test',
    );
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await expectFailure(
      openGenerated(`${first}+${empty}`, ['crack']),
      'ERR_DATASET_INVALID',
      `${empty} holds no generated`,
    );
    await expectFailure(openGenerated(`${first}+`, ['crack']), 'ERR_FILE_ACCESS', `${first}+`);
    await expectFailure(openGenerated(`${first}+${empty}/none`, ['crack']), 'ERR_FILE_ACCESS', 'none');
  });
});
