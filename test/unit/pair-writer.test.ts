import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import type { GeneratedPair } from '../../lib/dataset/generated-pair.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
/** Words of the layout, and what a name may hold besides. */
const TYPES = [
  'dropped',
  'test',
  'part',
  'ground_truth',
  'train',
  'good!',
  'mask',
  '000000',
  'pairs.jsonl',
  'a dropped',
  'dropped_b',
  'Schräge',
];
const image = (value: number, channels: 1 | 3) =>
  new RawImage({ data: new Uint8Array(4 * 4 * channels).fill(value), width: 4, height: 4, channels });
const pair = (index: number): GeneratedPair => ({
  index,
  seed: 7,
  image: image(index, 3),
  part: image(index + 1, 3),
});
/** A pair whose mask has every pixel where the index is odd, and none where it is even. */
const masked = (index: number): GeneratedPair => ({
  ...pair(index),
  mask: image(index % 2 ? 255 : 0, 1),
  maskMethod: 'threshold',
});
const open = (out: string, more: object = {}) =>
  PairWriter.open(out, {
    type: 'crack',
    adapter: 'abc',
    settings: { steps: 2, none: undefined },
    resume: false,
    ...more,
  });
const resume = (out: string, more: object = {}) => open(out, { resume: true, ...more });
/** A folder with so many pairs. */
async function filled(name: string, indices: number[], more: object = {}): Promise<string> {
  const out = join(folder, name);
  await using writer = await open(out, more);
  for (const index of indices) await writer.write(masked(index));
  return out;
}
/** Every file of a folder with what is in it. */
const contents = (out: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(out.length + 1), readFileSync(path, 'base64')]),
  );
const listOf = (out: string): PairRecord[] =>
  readFileSync(join(out, 'pairs.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('PairWriter', () => {
  it.each(TYPES)('keeps and drops pairs of a type called %s, and takes them back', async (type) => {
    const out = await filled(`type ${type}`, [0, 1], { type });
    const before = contents(out);
    const files = ['part', 'ground_truth', 'test'].map(
      (kind) => `${kind}/${type}/000000${kind === 'ground_truth' ? '_mask' : ''}.png`,
    );
    for (const round of [1, 2]) {
      await using writer = await resume(out, { type });
      await writer.drop(new Map([[0, 'empty']]));
      const names = Object.keys(contents(out)).filter((name) => !name.startsWith('.lock-'));
      expect(
        names.filter((name) => name.startsWith('dropped/') && name.includes('/000000')),
        `${round}`,
      ).toEqual(files.map((name) => `dropped/${name}`).sort());
      expect(names).toHaveLength(7);
      for (const record of listOf(out)) {
        for (const kind of ['image', 'part', 'mask'] as const)
          expect(existsSync(join(out, record[kind] as string))).toBe(true);
      }
      expect(listOf(out).map(({ dropped }) => dropped)).toEqual(['empty', undefined]);
    }
    await using writer = await resume(out, { type });
    await writer.drop(new Map());
    await writer.close();
    expect(contents(out)).toEqual(before);
  });

  it.each(['../../escaped/here', '..', '/tmp/x', 'a/b', '', '.hidden', 'a\0b'])(
    'refuses the type %j, and writes nothing',
    async (type) => {
      const out = join(folder, 'refused', 'out');
      await expect(open(out, { type })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
      expect(existsSync(join(folder, 'refused'))).toBe(false);
    },
  );

  it('has a folder to itself until it is closed', async () => {
    const out = join(folder, 'busy');
    const first = await open(out);
    await expect(open(out)).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await first.write(pair(0));
    await first.close();
    await expect(first.write(pair(1))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(open(out)).rejects.toThrow('holds 1 generated pairs'); // and lets go of the lock
    await using second = await resume(out);
    await expect(second.write(pair(0))).rejects.toThrow('has the pair 0 already');
    expect([...second.done]).toEqual([0]);
  });

  it('lists how a pair and its mask came about, and that it is synthetic', async () => {
    const out = join(folder, 'listed');
    await using writer = await open(out, { recipe: 'augment', adapter: undefined });
    const agreement = { 'threshold/u2net': 0.5 };
    await writer.write({ ...masked(1), maskMethod: 'exact', touches: true, agreement });
    await writer.write(pair(2));
    const [first, second] = listOf(out);
    expect(first).toEqual({
      ...{ index: 1, seed: 7, type: 'crack', synthetic: true, recipe: 'augment', settings: { steps: 2 } },
      ...{ image: 'test/crack/000001.png', part: 'part/crack/000001.png', mask: 'ground_truth/crack/000001_mask.png' },
      ...{ maskMethod: 'exact', coverage: 1, empty: false, touches: true, agreement },
    });
    expect(second).not.toHaveProperty('mask');
    expect(second).not.toHaveProperty('coverage');
  });

  it('writes nothing of a pair that its own list could not hold', async () => {
    const out = join(folder, 'bad pairs');
    await using writer = await open(out);
    const wrong: [object, string][] = [
      [{ index: -1 }, 'index'],
      [{ index: 1.5 }, 'index'],
      [{ seed: 'a' }, 'seed'],
      [{ part: undefined }, 'part'],
      [{ maskMethod: 'guess' }, 'maskMethod'],
      [{ touches: 'yes' }, 'touches'],
      [{ mask: new RawImage({ data: new Uint8Array(4), width: 2, height: 2, channels: 1 }) }, 'mask'],
    ];
    for (const [change, name] of wrong) {
      await expectFailure(writer.write({ ...masked(0), ...change } as never), 'ERR_INVALID_OPTION', name);
    }
    expect(Object.keys(contents(out)).filter((name) => name.endsWith('.png'))).toEqual([]);
    expect(writer.records).toEqual([]);
  });

  it('refuses to add pairs of another recipe, adapter or settings to a folder', async () => {
    const out = await filled('another', [0], { recipe: 'noise' });
    for (const change of [{ recipe: 'augment' }, { adapter: 'def' }, { settings: { steps: 3 } }, { type: 'hole' }]) {
      const error = await resume(out, { recipe: 'noise', ...change }).catch((cause) => cause);
      expect(error, JSON.stringify(change)).toMatchObject({ code: 'ERR_DATASET_INVALID' });
      expect(error.message).toContain('choose another folder');
    }
    await using writer = await resume(out, { recipe: 'noise' });
    expect(writer.done.size).toBe(1);
  });

  it('ends with the same files in whatever order pairs were written, and whatever was lost between', async () => {
    const whole = await filled('whole', [0, 1, 2, 3]);
    const torn = await filled('torn', [0, 3]);
    const list = readFileSync(join(torn, 'pairs.jsonl'));
    writeFileSync(join(torn, 'pairs.jsonl'), list.subarray(0, -40)); // the disk was full, or the process killed
    writeFileSync(join(torn, 'test/crack/000001.png.partial-4711'), 'half');
    writeFileSync(join(torn, 'pairs.jsonl.partial-4711-abc'), 'half');
    const neighbours = join(torn, 'b.checkpoint-000010.safetensors.partial-4712-0'); // of a training that goes on
    writeFileSync(neighbours, 'half');
    writeFileSync(join(torn, 'test/crack/000001.png'), 'of a pair that is not listed');
    await expect(open(torn)).rejects.toThrow('holds 2 generated pairs');
    {
      await using writer = await resume(torn);
      expect([...writer.done]).toEqual([0]);
      for (const index of [3, 2, 1]) await writer.write(masked(index));
      expect(writer.records.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    }
    rmSync(neighbours); // it is still there
    expect(contents(torn)).toEqual(contents(whole));
  });

  it('makes pairs again of which a file is missing', async () => {
    const whole = await filled('all there', [0, 1]);
    for (const file of ['test/crack/000001.png', 'part/crack/000000.png', 'ground_truth/crack/000001_mask.png']) {
      const out = await filled(`without ${dirname(file)}`, [0, 1]);
      rmSync(join(out, file));
      await using writer = await resume(out);
      expect(writer.done.size).toBe(1);
      const index = writer.done.has(0) ? 1 : 0;
      await writer.write(masked(index));
      await writer.close();
      expect(contents(out)).toEqual(contents(whole));
    }
  });

  it('puts files where the list says when a process was killed while it moved them', async () => {
    const before = await filled('before', [0, 1, 2]);
    const after = await filled('after', [0, 1, 2]);
    await using writer = await resume(after);
    await writer.drop(new Map([[1, 'disagrees']]));
    await writer.close();
    const files = ['test/crack/000001.png', 'part/crack/000001.png', 'ground_truth/crack/000001_mask.png'];
    for (let moved = 0; moved <= 3; moved++) {
      for (const isListed of [false, true]) {
        const out = await filled(`moved ${moved} ${isListed}`, [0, 1, 2]);
        for (const file of files.slice(0, moved)) {
          mkdirSync(dirname(join(out, 'dropped', file)), { recursive: true });
          renameSync(join(out, file), join(out, 'dropped', file));
        }
        if (isListed) writeFileSync(join(out, 'pairs.jsonl'), readFileSync(join(after, 'pairs.jsonl')));
        await using again = await resume(out);
        expect(again.records).toHaveLength(3);
        await again.close();
        expect(contents(out), `${moved} ${isListed}`).toEqual(contents(isListed ? after : before));
      }
    }
  });

  const line = (change: object) => (record: PairRecord) => JSON.stringify({ ...record, ...change });
  it.each([
    ['a record without its image', line({ image: undefined }), /line 2 is not a record \(image: expected a path\)/],
    ['an index that is no integer', line({ index: 1.5 }), /line 2 is not a record \(index: expected an integer/],
    ['an image outside the folder', line({ image: '../../000001.png' }), /line 2 has the image "..\/..\/000001.png"/],
    ['a mask of another pair', line({ mask: 'ground_truth/crack/000000_mask.png' }), /line 2 has the mask/],
    [
      'a pair that is listed twice',
      line({
        index: 0,
        image: 'test/crack/000000.png',
        part: 'part/crack/000000.png',
        mask: 'ground_truth/crack/000000_mask.png',
      }),
      /line 2 lists pair 0, as line 1 does/,
    ],
    ['half a line in between', () => '{"index":1,', /line 2 is not valid JSON/],
    ['something else', () => '"crack"', /line 2 is not a record/],
  ])('names the line with %s', async (name, damage, message) => {
    const out = await filled(`damaged ${name}`, [0, 1, 2]);
    const list = join(out, 'pairs.jsonl');
    const [first, second, third] = listOf(out) as [PairRecord, PairRecord, PairRecord];
    writeFileSync(list, [JSON.stringify(first), damage(second), JSON.stringify(third), ''].join('\n'));
    const damaged = contents(out);
    const error = await resume(out).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'ERR_FILE_ACCESS', message: expect.stringMatching(message) });
    expect(error.message).toContain(list);
    expect(contents(out)).toEqual(damaged);
  });

  it('removes nothing where a folder cannot be read', async () => {
    const out = await filled('unreadable', [0, 1]);
    rmSync(join(out, 'part'), { recursive: true });
    writeFileSync(join(out, 'part'), 'no folder');
    const before = contents(out);
    await expect(resume(out)).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' });
    expect(contents(out)).toEqual(before);
  });

  it('reads a list that an editor has saved, and keeps what it does not know', async () => {
    const out = await filled('edited', [0, 1]);
    const list = join(out, 'pairs.jsonl');
    const lines = listOf(out).map((record) => JSON.stringify({ ...record, reviewed: 'yes' }));
    writeFileSync(list, `\uFEFF${lines.join('\r\n')}\r\n\r\n`);
    await using writer = await resume(out);
    expect(writer.done.size).toBe(2);
    await writer.write(pair(2));
    expect(readFileSync(list, 'utf8').split('\n').slice(0, 2)).toEqual(lines);
    expect(listOf(out)).toHaveLength(3);
    appendFileSync(list, '\n');
  });

  it('has no room for a pair, keeps those before it, and goes on when there is', async () => {
    const out = join(folder, 'full');
    const lib = join(import.meta.dirname, '../../dist/dataset/pair-writer.js');
    // The files that may be written are of 1024 bytes: a list of four pairs is larger.
    const script = `const { PairWriter } = await import(${JSON.stringify(lib)});
      const writer = await PairWriter.open(${JSON.stringify(out)}, { type: 'crack', adapter: 'abc', settings: { steps: 2 } });
      const image = (value) => ({ data: new Uint8Array(48).fill(value), width: 4, height: 4, channels: 3 });
      for (let index = 0; index < 9; index++) await writer.write({ index, seed: 7, image: image(index), part: image(index + 1) })
        .catch(({ code, message }) => { console.log(code, message); process.exit(5); });`;
    const run = () =>
      execFileSync('bash', ['-c', 'ulimit -f 1; exec "$0" --input-type=module -e "$1"', process.execPath, script], {
        encoding: 'utf8',
      });
    expect(run).toThrow(
      expect.objectContaining({
        status: 5,
        stdout: expect.stringMatching(/^ERR_FILE_ACCESS Cannot write .*pairs.jsonl/),
      }),
    );
    const listed = listOf(out).length;
    expect(listed).toBeGreaterThan(2);
    expect(readdirSync(out, { recursive: true }).filter((name) => /partial|lock/.test(String(name)))).toEqual([]);
    await using writer = await resume(out);
    expect(writer.done.size).toBe(listed);
    for (let index = listed; index < 9; index++) await writer.write(pair(index));
    await writer.close();
    const whole = join(folder, 'not full');
    await using other = await open(whole);
    for (let index = 0; index < 9; index++) await other.write(pair(index));
    await other.close();
    expect(contents(out)).toEqual(contents(whole));
  });
});
