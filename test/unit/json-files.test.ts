import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appendJsonLine, readJson, readJsonLines } from '../../lib/core/json-files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const file = join(folder, 'list.jsonl');
const schema = z.looseObject({ a: z.int('expected an integer') });
async function read(text: string) {
  writeFileSync(file, text);
  const { lines, torn } = await readJsonLines(file, schema);
  return { values: lines.map(({ value }) => value.a), torn };
}

describe('readJsonLines', () => {
  it('reads lines with a byte order mark, CRLF, empty lines, or without an end', async () => {
    expect(await read('\uFEFF{"a":1}\r\n\r\n  \n{"a":2,"more":[]}\n\r\n')).toEqual({ values: [1, 2], torn: false });
    expect(await read('{"a":1}\n{"a":2}')).toEqual({ values: [1, 2], torn: false });
    expect(await read('')).toEqual({ values: [], torn: false });
    expect((await readJsonLines(join(folder, 'none'), schema)).lines).toEqual([]);
  });

  it('leaves out a last line that is torn, wherever', async () => {
    const line = '{"a":2,"text":"ä"}';
    for (let end = 1; end < line.length; end++)
      expect(await read(`{"a":1}\n${line.slice(0, end)}`)).toEqual({ values: [1], torn: true });
    writeFileSync(file, Buffer.from(`{"a":1}\n${line}`).subarray(0, -3)); // within a character
    expect(await readJsonLines(file, schema)).toMatchObject({ torn: true, lines: [{ line: 1 }] });
    expect(await read('{"a"')).toEqual({ values: [], torn: true });
  });

  it.each([
    ['{"a":1}\n{"a":\n{"a":3}\n', 'line 2 is not valid JSON'],
    ['{"a":1}\n\n{"a":\n', 'line 3 is not valid JSON'],
    ['{"a":1.5}\n', 'line 1 is not a record (a: expected an integer)'],
    ['{"a":1}\n{"b":1}\n', 'line 2 is not a record'],
    ['[1]', 'line 1 is not a record'],
    ['null\n', 'line 1 is not a record'],
  ])('names the file and the line of other damage: %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ERR_FILE_ACCESS',
      message: expect.stringContaining(`${file}: ${message}`),
    });
  });
});

describe('appendJsonLine', () => {
  it('takes back a line that the disk has no room for', async () => {
    const full = join(folder, 'full.jsonl');
    const lib = join(import.meta.dirname, '../../dist/core/json-files.js');
    // Files of 1024 bytes at most: the last line fits in part.
    const script = `const { appendJsonLine } = await import(${JSON.stringify(lib)});
      for (let a = 1; a <= 5; a++) await appendJsonLine(${JSON.stringify(full)}, { a, text: 'x'.repeat(280) }).catch(({ message }) => console.log(message));`;
    const said = execFileSync('bash', [
      ...['-c', 'ulimit -f 1; exec "$0" --input-type=module -e "$1"'],
      ...[process.execPath, script],
    ]);
    expect(String(said)).toBe(
      `Cannot write ${full}: the file would exceed the largest allowed file size (ulimit -f)\n`.repeat(2),
    );
    expect(readFileSync(full, 'utf8').match(/"a":\d/g)).toEqual(['"a":1', '"a":2', '"a":3']);
    await appendJsonLine(full, { a: 6 });
    expect((await readJsonLines(full, schema)).lines.map(({ value }) => value.a)).toEqual([1, 2, 3, 6]);
  });
});

describe('readJson', () => {
  it('names the file that is something else', async () => {
    writeFileSync(file, '\uFEFF{"a":1}\r\n');
    expect(await readJson(file, schema)).toEqual({ a: 1 });
    for (const text of ['', '{"a"', '{}']) {
      writeFileSync(file, text);
      await expect(readJson(file, schema)).rejects.toMatchObject({
        code: 'ERR_FILE_ACCESS',
        message: expect.stringContaining(file),
      });
    }
    expect(existsSync(file)).toBe(true);
  });
});
