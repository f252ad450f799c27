/** Decides which levels of a mask mark the defect. */

/** A mask as one level per pixel, which is luminance times alpha. */
export interface Levels {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  /** True if compression may have changed levels. */
  lossy: boolean;
}

/**
 * The decision for a mask. Pixels of at least `threshold` are marked. If the mask also has plateaus between off and on,
 * it does not state which of them are defects.
 */
export type Threshold = { threshold: number } | { plateaus: number[] };

/** A mask with at most this many levels was probably drawn with each of them on purpose, except for soft edges. */
const FEW_LEVELS = 12;
/** If no level is larger, the levels are probably class numbers. A soft edge would have more steps. */
const CLASS_NUMBERS = 32;
/** The range of levels that a lossy format may produce from one level. */
const LOSSY_SPREAD = 32;
/** The largest difference between a flat pixel and its neighbours in a lossy format. */
const LOSSY_NOISE = 16;
/** The largest range of levels of a plateau in a lossy format. A slowly rising soft edge has a larger one. */
const MAX_PLATEAU_LEVELS = 48;
/**
 * The levels on both sides of a plateau hardly occur, but those beside a level of a soft edge do. NEIGHBOUR_LEVELS
 * levels are examined on each side. They are rare if they have less than the share RARE of the plateau's pixels.
 */
const NEIGHBOUR_LEVELS = 8;
const RARE = 0.25;
/** At least this share of a plateau is flat. A soft edge that was enlarged without smoothing has a smaller share. */
const FLAT_SHARE = 0.2;

const range = (low: number, high: number) => Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);

/** Counts the pixels of each level. */
export function histogramOf(data: Uint8Array | Uint16Array): Uint32Array {
  const counts = new Uint32Array(data instanceof Uint8Array ? 256 : 65536);
  let zeros = 0; // Almost all pixels of most masks are 0, and a variable is counted up faster than an array's element.
  for (let i = 0; i < data.length; i++) {
    const level = data[i] as number;
    if (level === 0) zeros++;
    else counts[level] = (counts[level] as number) + 1;
  }
  counts[0] = zeros;
  return counts;
}

/** Returns the indices of the eight neighbours of a pixel that is not at the border. */
const neighbours = (i: number, width: number) => [
  ...[i - width - 1, i - width, i - width + 1, i - 1],
  ...[i + 1, i + width - 1, i + width, i + width + 1],
];

/**
 * Counts two kinds of pixels for each level between `low` and `high`. A flat pixel differs from its neighbours by at
 * most `noise`. A peak has no neighbour with a higher level.
 */
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

const sum = (levels: readonly number[], what: (level: number) => number) =>
  levels.reduce((all, level) => all + what(level), 0);

/**
 * Finds plateaus in a mask of few levels, lowest first. A pixel of a soft edge has a neighbour with a higher level, and
 * a pixel of a class has none.
 */
function plateausOfFew(mask: Levels, counts: Uint32Array, levels: readonly number[]): number[] {
  const { flat, peaks } = countBetween(mask, levels[0] as number, levels.at(-1) as number, 0);
  return levels.slice(1, -1).filter((level) => {
    const all = counts[level] as number;
    return (flat[level] as number) > FLAT_SHARE * all || (all >= 4 && (peaks[level] as number) > all / 2);
  });
}

/**
 * Finds plateaus in a mask of many levels. They are flat areas whose levels are more frequent than the levels beside
 * them.
 */
function plateausOfMany(mask: Levels, counts: Uint32Array, [low, high]: [number, number], noise: number): number[] {
  const { flat } = countBetween(mask, low, high, noise);
  const count = (level: number) => counts[level] ?? 0;
  const flatAt = (level: number) => flat[level] as number;
  const isBetween = (level: number) => level > low && level < high;
  const margin = noise > 0 ? LOSSY_SPREAD / 2 : 4;
  const plateaus: number[] = [];
  for (let level = low + 1; level < high; level++) {
    if (flatAt(level) === 0) continue;
    const start = level; // The loop then moves `level` to the end of the consecutive flat levels.
    for (let next = level + 1; next <= Math.min(level + noise + 1, high - 1); next++) {
      if (flatAt(next) > 0) level = next;
    }
    const isNearEnd = start < low + margin || level > high - margin;
    const isSoftEdge = level - start >= MAX_PLATEAU_LEVELS;
    if (isNearEnd || isSoftEdge) continue;
    const own = range(start, level);
    const area = sum(own, count);
    const beside = [
      ...range(start - NEIGHBOUR_LEVELS, start - 1),
      ...range(level + 1, level + NEIGHBOUR_LEVELS),
    ].filter(isBetween);
    if (sum(beside, count) < RARE * area && sum(own, flatAt) > Math.max(3, FLAT_SHARE * area)) {
      plateaus.push(own.reduce((most, one) => (count(one) > count(most) ? one : most)));
    }
  }
  return plateaus;
}

/**
 * Finds levels between off and on that are neither soft edges nor noise. `levels` are those that occur, lowest first.
 */
function plateausOf(mask: Levels, counts: Uint32Array, levels: readonly number[]): number[] {
  if (!mask.lossy && levels.length <= FEW_LEVELS) return plateausOfFew(mask, counts, levels);
  const ends: [number, number] = [levels[0] as number, levels.at(-1) as number];
  const exact = mask.lossy ? [] : plateausOfMany(mask, counts, ends, 0);
  // A PNG may have been a JPEG before.
  return exact.length > 0 ? exact : plateausOfMany(mask, counts, ends, LOSSY_NOISE);
}

/** Scales levels above 255 to the range 0 to 255. */
function toEightBits(mask: Levels, high: number): Levels {
  if (high <= 255) return mask;
  return { ...mask, data: Uint8Array.from(mask.data, (level) => Math.round((level * 255) / high)) };
}

/**
 * Decides which levels of a mask are marked. If there are two levels, they are off and on, whatever their values. If
 * there is only one level and it is not 0, all pixels are marked. Soft edges are split at one half of the largest
 * level. `peak` is the largest value of any channel.
 */
export function thresholdOf(mask: Levels, peak: number): Threshold {
  const counts = histogramOf(mask.data);
  const levels = [...counts.keys()].filter((level) => (counts[level] as number) > 0);
  const [low, high] = [levels[0] as number, levels.at(-1) as number];
  if (mask.lossy && high - low <= LOSSY_SPREAD) return { threshold: high <= LOSSY_SPREAD ? high + 1 : 0 };
  if (levels.length === 1) return { threshold: Math.max(high, 1) };
  if (levels.length === 2) return { threshold: high };
  if (!mask.lossy && peak <= CLASS_NUMBERS) return { plateaus: levels };
  // All pixels have one level, with noise.
  if (mask.data instanceof Uint8Array && high - low <= LOSSY_SPREAD) return { threshold: 0 };
  const few = toEightBits(mask, high);
  const fewCounts = few === mask ? counts : histogramOf(few.data);
  const occurring =
    levels.length <= FEW_LEVELS && few === mask ? levels : [...fewCounts.keys()].filter((one) => fewCounts[one]);
  const between = plateausOf(few, fewCounts, occurring);
  if (between.length > 0) {
    const scale = few === mask ? 1 : high / 255;
    return { plateaus: [low, ...between.map((level) => Math.round(level * scale)), high] };
  }
  const isOff = low < high / 2; // Otherwise no level is below one half, and the lowest one is off.
  return { threshold: isOff ? Math.ceil(high / 2) : Math.ceil((low + high) / 2) };
}
