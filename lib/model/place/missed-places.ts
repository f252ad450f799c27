/** Chooses places that are like those of defects that a detector missed. */
import { InvalidOptionError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import { middleOf } from '../../dataset/cut.js';
import { someOf } from '../../dataset/folders.js';
import type { MissedDefect } from '../../dataset/missed-defect.js';
import { MIN_INSIDE, type MissedPlace, type Site, type Spot } from './place.js';

/** This number of places is tried near those of missed defects before any others. */
const NEAR_TRIES = 60;
/** Places near a missed defect's differ from it by up to this share of the photograph. */
const JITTER = 0.1;
/** Sides differ from those of a missed defect by up to this factor. */
const SIZE_SPREAD = 1.25;

/** Returns the types of missed defects, each once. */
export const missedTypes = (missed: readonly MissedDefect[]): string[] => [...new Set(missed.map(({ type }) => type))];

/**
 * Throws ERR_INVALID_OPTION with the types of missed defects that an adapter has not learned. Adapters that store no
 * types take every name.
 */
export function requireLearned(missed: readonly MissedDefect[], learned: readonly string[]): void {
  if (learned.length === 0) return;
  const unknown = missedTypes(missed).filter((type) => !learned.includes(type));
  if (unknown.length === 0) return;
  throw new InvalidOptionError(
    `Expected missed defects of ${learned.join(', ')} for like but received some of ${someOf(unknown)}, which the adapter has not learned: give type to place only those of one type`,
  );
}

/** Returns the places of the missed defects of a type. Throws ERR_INVALID_OPTION if there are none. */
export function missedPlaces(missed: readonly MissedDefect[], type: string): MissedPlace[] {
  const own = missed.filter((one) => one.type === type);
  if (own.length === 0) {
    throw new InvalidOptionError(
      `Expected missed defects of ${type} for like but received only those of ${someOf(missedTypes(missed))}`,
    );
  }
  return own.map(({ photograph, box }) => {
    const { x, y } = middleOf(box);
    const { width, height } = photograph;
    return { x: x / width, y: y / height, width: box.width / width, height: box.height / height };
  });
}

/**
 * Draws a spot near the place of a missed defect, for a training defect that is scaled to about its size. After many
 * tries, the spot may be anywhere. A missed defect that is larger than a window becomes as large as the window.
 */
export function spotLikeMissed(
  { photograph: { image }, ground, side, settings: { resolution } }: Site,
  places: readonly MissedPlace[],
  random: Random,
  tries: number,
): Spot {
  const { x, y, width, height } = places[random.below(places.length)] as MissedPlace;
  const scale = (resolution / side) * SIZE_SPREAD ** (2 * random.next() - 1);
  const scaled = (extent: number) => Math.min(Math.max(Math.round(extent * scale), 1), resolution);
  const size = { width: scaled(width * image.width), height: scaled(height * image.height) };
  const start = (extent: number) => Math.floor((resolution - extent) / 2);
  const jitter = () => (2 * random.next() - 1) * JITTER;
  const near = { x: (x + jitter()) * image.width, y: (y + jitter()) * image.height };
  return {
    point: tries < NEAR_TRIES ? near : ground.randomPoint(random),
    move: { box: { ...size, left: start(size.width), top: start(size.height) } },
    minInside: MIN_INSIDE,
  };
}
