/** Describes the result of `check` on one screen. */
import type { CategoryCheck, CheckResult } from '../jobs/check.js';
import type { TypeCheck } from '../jobs/check-type.js';
import type { Estimate } from '../jobs/estimates.js';

/** So many problems, doubles or names are shown. With --json all are. */
const SHOWN_PROBLEMS = 8;
const SHOWN_NAMES = 2;

const FORMATS: Record<string, string> = {
  mvtec: "MVTec AD's layout",
  pairs: 'generated pairs',
  unknown: 'no format that is known',
};

/** Lists the first few names and the number of the others. */
function some(names: readonly string[], shown = SHOWN_NAMES): string {
  const more = names.length - shown;
  return names.slice(0, shown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const span = ([low, high]: readonly [number, number]) => (low === high ? `${low}` : `${low} to ${high}`);
const percent = (share: number) => {
  const value = 100 * share;
  return value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : value.toPrecision(1);
};

/** Formats seconds in the unit that people would use. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86400)} days`;
}

/** Lays out rows of cells in columns. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function describeLosses({ losses: { inPieces, cut, vanished, left } }: TypeCheck): string {
  const notes = [
    ...(inPieces > 0 ? [`${inPieces} train in pieces`] : []),
    ...(cut.length > 0 ? [`${cut.length} images cut`] : []),
    ...(vanished.length > 0 ? [`${vanished.length} vanish`] : []),
    ...(left > 0 ? [`${left} are too many to train`] : []),
  ];
  return notes.join(', ') || 'nothing';
}

function typeRows(types: readonly TypeCheck[]): string[] {
  const header = ['type', 'images', 'defects', 'covers (%)', 'longest side', 'window', 'lost or cut'];
  const rows = types.map((one) => [
    one.type,
    one.usable === one.images ? `${one.images}` : `${one.usable} of ${one.images}`,
    `${one.defects}`,
    one.coverage.map(percent).join(' / '),
    one.extents.join(' / '),
    String(one.window),
    describeLosses(one),
  ]);
  return types.length === 0 ? [] : table([header, ...rows]).map((line) => `  ${line}`);
}

function describeCategory(one: CategoryCheck): string[] {
  const { category, path, format, good, types, sizes, depths, synthetic, turned, inverted, doubles, recipe, problems } =
    one;
  const kinds = Object.entries(depths).map(([depth, count]) => `${count} ${depth}`);
  const size = sizes && `${span(sizes.width)} x ${span(sizes.height)} pixels, `;
  const vanished = types.flatMap(({ losses }) => losses.vanished);
  const pairs = doubles.map((group) => some(group));
  return [
    `${category}: ${FORMATS[format] ?? format} in ${path}`,
    `  good images: ${good.train} to train, ${good.test} to test; ${size ?? ''}${kinds.join(', ') || 'no readable image'}`,
    ...typeRows(types),
    ...(vanished.length > 0 ? [`  vanish, so that training refuses them: ${some(vanished)}`] : []),
    ...(synthetic > 0 && format !== 'pairs'
      ? [`  generated, so that evaluate does not test on them: ${synthetic}`]
      : []),
    ...(turned.length > 0 ? [`  turned by their EXIF orientation: ${some(turned)}`] : []),
    ...(inverted.length > 0 ? [`  masks may be inverted (black defects on white): ${some(inverted)}`] : []),
    ...(doubles.length > 0 ? [`  the same picture: ${pairs.slice(0, SHOWN_NAMES).join('; ')}${rest(pairs)}`] : []),
    ...(recipe ? [`  recipe: ${recipe.recipe}, because ${recipe.reason}`] : []),
    problems.length === 0 ? '  no problems' : `  problems: ${problems.length}`,
    ...problems.slice(0, SHOWN_PROBLEMS).map(({ code, message }) => `    ${message} (${code})`),
    ...(problems.length > SHOWN_PROBLEMS ? [`    and ${problems.length - SHOWN_PROBLEMS} more: see --json`] : []),
  ];
}

const rest = (groups: readonly string[]) =>
  groups.length > SHOWN_NAMES ? `; and ${groups.length - SHOWN_NAMES} more groups` : '';

function describeEstimate({ trainSeconds, pairSeconds, memoryBytes, machineBytes, threads }: Estimate): string {
  const memory = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const fits = memoryBytes < machineBytes ? 'of' : 'but this machine has';
  return `roughly ${duration(trainSeconds)} to train a type and ${duration(pairSeconds)} a pair on ${threads} CPU ${threads === 1 ? 'thread' : 'threads'}, with ${memory(memoryBytes)} ${fits} ${memory(machineBytes)} of memory`;
}

/** Returns the text that `check` prints. */
export function checkScreen({ categories, resolution, estimate }: CheckResult): string {
  return [...categories.flatMap(describeCategory), `at ${resolution} pixels: ${describeEstimate(estimate)}`].join('\n');
}
