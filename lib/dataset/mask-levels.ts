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
/** A flat pixel and its neighbours differ by no more than this in a lossy format. */
const LOSSY_NOISE = 16;
/** A plateau of a lossy format has no more levels than this; a soft edge that rises slowly has. */
const WIDEST = 48;
/** Levels on both sides of a plateau that hardly occur, while those beside a place on a ramp do. */
const BESIDE = 8;
const RARE = 0.25;
/** At least this share of a plateau is flat: less are the blocks of a soft edge that was enlarged pixel by pixel. */
const FLAT_SHARE = 0.2;

const range = (low: number, high: number) => Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);

/** How many pixels have each level. */
export function histogramOf(data: Uint8Array | Uint16Array): Uint32Array {
  const counts = new Uint32Array(data instanceof Uint8Array ? 256 : 65536);
  for (let i = 0; i < data.length; i++) {
    const level = data[i] as number;
    counts[level] = (counts[level] as number) + 1;
  }
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

const sum = (levels: readonly number[], what: (level: number) => number) =>
  levels.reduce((all, level) => all + what(level), 0);

/** Plateaus where few levels occur, lowest first: an edge's pixel has a higher one beside it, a class's has not. */
function plateausOfFew(mask: Levels, counts: Uint32Array, levels: readonly number[]): number[] {
  const { flat, peaks } = countBetween(mask, levels[0] as number, levels.at(-1) as number, 0);
  return levels.slice(1, -1).filter((level) => {
    const all = counts[level] as number;
    return (flat[level] as number) > FLAT_SHARE * all || (all >= 4 && (peaks[level] as number) > all / 2);
  });
}

/** Plateaus where many levels occur: flat places whose level stands out of those beside it. */
function plateausOfMany(mask: Levels, counts: Uint32Array, [low, high]: [number, number], noise: number): number[] {
  const { flat } = countBetween(mask, low, high, noise);
  const count = (level: number) => counts[level] ?? 0;
  const flatAt = (level: number) => flat[level] as number;
  const isBetween = (level: number) => level > low && level < high;
  const margin = noise > 0 ? LOSSY_SPREAD / 2 : 4;
  const plateaus: number[] = [];
  for (let level = low + 1; level < high; level++) {
    if (flatAt(level) === 0) continue;
    const start = level; // of the flat levels that follow each other
    for (let next = level + 1; next <= Math.min(level + noise + 1, high - 1); next++) {
      if (flatAt(next) > 0) level = next;
    }
    if (start < low + margin || level > high - margin || level - start >= WIDEST) continue; // of an end, or of a ramp
    const own = range(start, level);
    const area = sum(own, count);
    const beside = [...range(start - BESIDE, start - 1), ...range(level + 1, level + BESIDE)].filter(isBetween);
    if (sum(beside, count) < RARE * area && sum(own, flatAt) > Math.max(3, FLAT_SHARE * area)) {
      plateaus.push(own.reduce((most, one) => (count(one) > count(most) ? one : most)));
    }
  }
  return plateaus;
}

/** Levels between off and on that are neither soft edges nor noise. `levels` are those that occur, lowest first. */
function plateausOf(mask: Levels, counts: Uint32Array, levels: readonly number[]): number[] {
  if (!mask.lossy && levels.length <= FEW) return plateausOfFew(mask, counts, levels);
  const ends: [number, number] = [levels[0] as number, levels.at(-1) as number];
  const exact = mask.lossy ? [] : plateausOfMany(mask, counts, ends, 0);
  // A PNG may have been a JPEG before.
  return exact.length > 0 ? exact : plateausOfMany(mask, counts, ends, LOSSY_NOISE);
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
  if (mask.data instanceof Uint8Array && high - low <= LOSSY_SPREAD) return { cut: 0 }; // all of it, with noise
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
