/** Reads `pairs.jsonl`, which decides which pairs a folder holds and where their files belong. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DatasetError } from '../core/errors.js';
import { isPixels, type PixelData } from '../core/image.js';
import { failAtLine, readJsonLines } from '../core/json-files.js';
import { flag, integer, oneOf, text } from '../options/check.js';
import { foundTogether, maskMethods } from '../options/names.js';
import { GOOD_TYPE, isTypeName, learnedTypeName } from '../options/type-name.js';
import { kindsOf, type PairRecord, pairRecordSchema, placedDefectSchema, placeOf } from './pair-record.js';

/** The name of the list in a folder of pairs. */
export const PAIR_LIST = 'pairs.jsonl';

/** The properties that all pairs of a folder share. */
export interface PairSource {
  type: string;
  /** The name of the recipe that made the pairs. */
  recipe?: string | undefined;
  /** The digest of the adapter's file. It is absent for pairs that were made without an adapter. */
  adapter?: string | undefined;
  /** All other settings that affect the pixels. */
  settings: Record<string, unknown>;
}

export const pairWriterSchema = z.strictObject({
  type: learnedTypeName(),
  recipe: text().optional(),
  adapter: text().optional(),
  settings: z.record(z.string(), z.unknown(), 'the settings by their names').default({}),
  resume: flag().default(false),
});

const share = z.number('a share 0..1').min(0, 'a share 0..1').max(1, 'a share 0..1');
const pixels = () => z.custom<PixelData>(isPixels, 'an image { data, width, height, channels: 1 | 3 }');

/** The parts of a pair that are written. A pair that this schema refuses would make the list unreadable. */
export const writablePairSchema = z.object(
  {
    index: integer(0),
    seed: z.number('a number'),
    image: pixels(),
    part: pixels(),
    mask: pixels().optional(),
    maskMethod: oneOf([...maskMethods, ...foundTogether]).optional(),
    touches: flag().optional(),
    agreement: z.record(z.string(), share, 'the agreement of methods by their names').optional(),
    photograph: text().optional(),
    defects: z.array(placedDefectSchema, 'a list of placed defects').optional(),
  },
  'a pair',
);

export interface PairList {
  /** The records, sorted by index. */
  records: PairRecord[];
  /** If true, the last line of the file is incomplete, and its pair must be made again. */
  torn: boolean;
  text: string;
}

/**
 * Reads the list of a folder. A missing file is an empty list. Throws ERR_FILE_ACCESS with the line that is invalid,
 * and ERR_DATASET_INVALID for pairs of another type, recipe, adapter or settings than those of `source`.
 */
export async function readPairList(file: string, source?: PairSource): Promise<PairList> {
  const { lines, torn, text } = await readJsonLines(file, pairRecordSchema);
  // JSON omits settings that are undefined, so they must be omitted before the comparison.
  const settings = JSON.parse(JSON.stringify(source?.settings ?? {})) as PairSource['settings'];
  const lineOf = new Map<number, number>();
  const records = lines.map(({ line, value }) => {
    const record = value as unknown as PairRecord;
    if (source) requireSameSource(file, record, { ...source, settings });
    requirePlaces(file, line, record);
    const earlier = lineOf.get(record.index);
    if (earlier !== undefined) failAtLine(file, line, `lists pair ${record.index}, as line ${earlier} does`);
    lineOf.set(record.index, line);
    return record;
  });
  return { records: records.sort((a, b) => a.index - b.index), torn, text };
}

function requireSameSource(file: string, record: PairRecord, { type, recipe, adapter, settings }: PairSource): void {
  const isSame = record.type === type && record.recipe === recipe && record.adapter === adapter;
  if (isSame && isDeepStrictEqual(record.settings, settings)) return;
  const before = { type: record.type, recipe: record.recipe, adapter: record.adapter, ...record.settings };
  const now: Record<string, unknown> = { type, recipe, adapter, ...settings };
  const differences = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .map((name) => [name, (before as Record<string, unknown>)[name], now[name]] as const)
    .filter(([, was, is]) => !isDeepStrictEqual(was, is))
    .map(([name, was, is]) => `${name}: ${JSON.stringify(was) ?? 'none'}, now ${JSON.stringify(is) ?? 'none'}`);
  throw new DatasetError(
    `${file} holds pairs of another adapter, recipe or settings (${differences.join('; ')}): choose another folder`,
  );
}

/** Throws ERR_DATASET_INVALID for a pair of the list `file` whose type no folder can have. */
export function requireTypeName(file: string, { type, index }: PairRecord): void {
  if (type === GOOD_TYPE || isTypeName(type)) return;
  throw new DatasetError(`Pair ${index} of ${file} has a type that is not valid: ${JSON.stringify(type)}`);
}

/** Checks the paths of a record, because files are moved and removed by them and a wrong one could lead anywhere. */
function requirePlaces(file: string, line: number, record: PairRecord): void {
  for (const kind of kindsOf(record)) {
    const place = placeOf(kind, record.type, record.index, record.dropped !== undefined);
    if (record[kind] !== place) {
      failAtLine(file, line, `has the ${kind} ${JSON.stringify(record[kind])} where ${JSON.stringify(place)} belongs`);
    }
  }
}
