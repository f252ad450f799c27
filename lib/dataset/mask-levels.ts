/** Which levels of a mask mark the defect. */

/** A mask's picture as one level a pixel: its luminance times its alpha. */
export interface Levels {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  /** Whether compression may have changed levels. */
  lossy: boolean;
}

/** How a mask is cut: what is at least `cut` is marked; or plateaus between off and on, which say nothing of that. */
export type Cut = { cut: number } | { plateaus: number[] };

/** Levels up to this many are few: each was meant, but for soft edges. */
const FEW = 12;
/** Numbers of classes, where no level is larger: nobody softens an edge in so few steps. */
const CLASS_NUMBERS = 32;
/** Levels that a lossy format may have made of one. */
const LOSSY_SPREAD = 32;
/** Neighbours of a flat pixel differ by no more than this in a lossy format. */
const LOSSY_NOISE = 6;
/** Levels on both sides of a plateau that hardly occur, while those beside a place on a ramp do. */
const BESIDE = 8;
const RARE = 0.25;

const range = (low: number, high: number) => Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);

/** How many pixels have each level. */
export function histogramOf(data: Uint8Array | Uint16Array): Uint32Array {
  const counts = new Uint32Array(data instanceof Uint8Array ? 256 : 65536);
  for (const level of data) counts[level] = (counts[level] as number) + 1;
  return counts;
}

/** The eight neighbours of pixel `i` that is not at the border. */
const neighbours = (i: number, width: number) => [
  ...[i - width - 1, i - width, i - width + 1, i - 1],
  ...[i + 1, i + width - 1, i + width, i + width + 1],
];

/** Of each level between the ends: pixels like all of their neighbours, and pixels without a neighbour that is higher. */
function countBetween({ data, width, height }: Levels, low: number, high: number, noise: number) {
  const flat = new Uint32Array(high + 1);
  const peaks = new Uint32Array(high + 1);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const level = data[i] as number;
      if (level === low || level === high) continue;
      const around = neighbours(i, width).map((at) => data[at] as number);
      const [least, most] = [Math.min(level, ...around), Math.max(level, ...around)];
      if (most - least <= noise) flat[level] = (flat[level] as number) + 1;
      if (most <= level) peaks[level] = (peaks[level] as number) + 1;
    }
  }
  return { flat, peaks };
}

/** Levels between off and on that are neither soft edges nor noise. `levels` are those that occur, lowest first. */
function plateausOf(mask: Levels, counts: Uint32Array, levels: readonly number[]): number[] {
  const [low, high] = [levels[0] as number, levels.at(-1) as number];
  const noise = mask.lossy ? LOSSY_NOISE : 0;
  const { flat, peaks } = countBetween(mask, low, high, noise);
  const count = (level: number) => counts[level] ?? 0;
  if (!mask.lossy && levels.length <= FEW) {
    // An edge's pixel has a higher one beside it; a class's, or one within it, does not.
    const isPlateau = (level: number) =>
      (flat[level] as number) > 0 || (count(level) >= 4 && (peaks[level] as number) > count(level) / 2);
    return levels.slice(1, -1).filter(isPlateau);
  }
  const margin = mask.lossy ? LOSSY_SPREAD / 2 : 4;
  const plateaus: number[] = [];
  let level = low + margin;
  while (level <= high - margin) {
    if (flat[level] === 0) {
      level++;
      continue;
    }
    let end = level; // of the flat levels that follow each other
    for (let next = level + 1; next <= Math.min(end + noise + 1, high); next++)
      if ((flat[next] as number) > 0) end = next;
    const area = range(level, end).reduce((sum, one) => sum + count(one), 0);
    const beside = [...range(level - BESIDE, level - 1), ...range(end + 1, end + BESIDE)]
      .filter((one) => one > low && one < high)
      .reduce((sum, one) => sum + count(one), 0);
    const isLarge = range(level, end).reduce((sum, one) => sum + (flat[one] as number), 0) >= 4;
    if (isLarge && beside < RARE * area) {
      plateaus.push(range(level, end).reduce((most, one) => (count(one) > count(most) ? one : most), level));
    }
    level = end + 1;
  }
  return plateaus;
}

/** Levels of 16 bits as 8, spread to 255, where they do not fit. */
function toFew(mask: Levels, high: number): Levels {
  if (high <= 255) return mask;
  return { ...mask, data: Uint8Array.from(mask.data, (level) => Math.round((level * 255) / high)) };
}

/**
 * Two levels are off and on, whatever they are; one level that is not 0 marks everything. Soft edges are cut at one half
 * of the largest level. `peak` is the largest number of any channel.
 */
export function cutOf(mask: Levels, peak: number): Cut {
  const counts = histogramOf(mask.data);
  const levels = [...counts.keys()].filter((level) => (counts[level] as number) > 0);
  const [low, high] = [levels[0] as number, levels.at(-1) as number];
  if (mask.lossy && high - low <= LOSSY_SPREAD) return { cut: high <= LOSSY_SPREAD ? high + 1 : 0 };
  if (levels.length === 1) return { cut: Math.max(high, 1) };
  if (levels.length === 2) return { cut: high };
  if (!mask.lossy && peak <= CLASS_NUMBERS) return { plateaus: levels };
  const few = toFew(mask, high);
  const fewCounts = few === mask ? counts : histogramOf(few.data);
  const occurring =
    levels.length <= FEW && few === mask ? levels : [...fewCounts.keys()].filter((one) => fewCounts[one]);
  const between = plateausOf(few, fewCounts, occurring);
  if (between.length > 0) {
    const scale = few === mask ? 1 : high / 255;
    return { plateaus: [low, ...between.map((level) => Math.round(level * scale)), high] };
  }
  const isOff = low < high / 2; // else nothing is below one half: what is lowest is off
  return { cut: isOff ? Math.ceil(high / 2) : Math.ceil((low + high) / 2) };
}
