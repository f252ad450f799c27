import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MeasuredPairs } from '../../lib/review/contract.js';
import { openSession } from '../../lib/review/review.js';
import { asJson, copiesOfPairs, json, listOf, reviews } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const fresh = copiesOfPairs(folder, 3);
const open = reviews({ isMeasured: false });
const cacheOf = (pairs: string) => join(pairs, '.review', 'masks.jsonl');

it('pairs are listed before they are measured, and decided on all the same', async () => {
  const one = await open(fresh());
  const { pairs, measured } = await listOf(one);
  expect(measured).toBe(0);
  expect(pairs[0]).toMatchObject({ index: 0, type: 'crack', width: 0, version: '', contrast: 0.5, decision: null });
  const answer = await one.ask('/api/pairs/2/decision', asJson('PUT', { decision: 'drop' }));
  expect(json(answer)).toMatchObject({ state: { decision: 'drop', area: 3 } });
  const known = json<MeasuredPairs>(await one.ask('/api/measured?after=0'));
  expect(known).toMatchObject({ event: 1, pairs: [{ id: 2, pair: { width: 12, height: 8, decision: 'drop' } }] });
});

it('pairs are measured while a page waits, and each is sent once', async () => {
  const one = await open(fresh());
  const waiting = one.ask('/api/measured?after=0');
  await one.session.measureAll();
  const first = json<MeasuredPairs>(await waiting).pairs;
  const rest = json<MeasuredPairs>(await one.ask(`/api/measured?after=${first.length}`)).pairs;
  expect([...first, ...rest].map(({ id }) => id).sort()).toEqual([0, 1, 2]);
  expect([...first, ...rest].every(({ pair }) => pair.version !== '' && pair.area === pair.index + 1)).toBe(true);
  expect((await listOf(one)).measured).toBe(3);
  expect(json<MeasuredPairs>(await one.ask('/api/measured?after=3')).pairs).toEqual([]);
});

it('pairs that are measured shortly after each other are sent in one answer', async () => {
  const one = await open(fresh());
  await one.session.measure(1);
  const waiting = one.ask('/api/measured?after=0');
  setTimeout(() => one.session.measure(2), 50);
  expect(json<MeasuredPairs>(await waiting).pairs.map(({ id }) => id)).toEqual([1, 2]);
});

it('decisions are known from the start of the next review, and measurements are kept', async () => {
  const pairs = fresh();
  const before = await openSession({ dir: pairs });
  await before.measureAll();
  await before.decide(1, 'keep', '');
  await before.close();
  const kept = readFileSync(cacheOf(pairs), 'utf8').trim().split('\n');
  expect(kept).toHaveLength(3);
  rmSync(join(pairs, 'test', 'crack', '000002.png'));
  const one = await open(pairs);
  expect((await listOf(one)).pairs.map(({ decision }) => decision)).toEqual([null, 'keep', null]);
  await one.session.measureAll();
  expect((await listOf(one)).pairs[2]?.problem).toContain('000002.png is missing or cannot be read');
  await one.stop();
  // The facts of the pair that has changed are gone, and the others are those of before. Pairs are measured in any order.
  const unchanged = kept.filter((line) => JSON.parse(line).area !== 3);
  expect(readFileSync(cacheOf(pairs), 'utf8').trim().split('\n').sort()).toEqual(unchanged.sort());
});

it('a review that ends early keeps what it has measured', async () => {
  const pairs = fresh();
  const one = await open(pairs);
  const waiting = one.ask('/api/measured?after=0');
  await one.session.measure(1);
  await one.stop();
  expect(json<MeasuredPairs>(await waiting).pairs).toHaveLength(1);
  expect(existsSync(cacheOf(pairs))).toBe(true);
  expect(readFileSync(cacheOf(pairs), 'utf8').trim().split('\n')).toHaveLength(1);
});
