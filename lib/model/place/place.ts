/** Describes the places of defects, and what choosing them needs. */
import type { NativeExample, NativeMoveOptions, NativePlaceWindow } from '../../addon-types.js';
import { toRgb } from '../../core/image.js';
import type { Random } from '../../core/random.js';
import type { DefectPosition } from '../../dataset/object-frame.js';
import type { Photograph } from '../../dataset/photograph.js';
import { cutWindow, type Marks, type Window, WindowGrid } from '../../dataset/photograph-window.js';
import type { RegionSource } from '../../dataset/place-region.js';
import type { DefectPixels } from './defect-pixels.js';
import type { PlaceEngine } from './engine.js';
import type { Ground, GroundSources } from './ground.js';

/** The place of a defect in a photograph, as the engine needs it, at the resolution of the model. */
export interface Place extends Pick<NativePlaceWindow, 'photograph' | 'place' | 'defect' | 'foreground'> {
  window: Window;
  method: 'auto' | 'mask' | 'box';
  /** The region that a user gave. Nothing changes outside it. */
  within?: Marks;
}

/** Identifies a place. It decides everything that is random about it. */
export interface PlaceKey {
  index: number;
  attempt: number;
}

/** The size and the position of a missed defect, as shares of its photograph's width and height. */
export interface MissedPlace {
  /** The middle of its box. */
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Holds what the places of all pairs depend on. */
export interface FinderSettings extends GroundSources {
  seed: number;
  /** The place of the type among those of the adapter. Types have places of their own. */
  type: number;
  /** Pixels along each side of the model's images. */
  resolution: number;
  /** Pixels of the photograph along each side of a window. With 'off', it is the photograph's shorter side. */
  window: number | 'off';
  /** Undefined for automatic places. */
  where: RegionSource | undefined;
  /** The training defects of the type. Automatic places need at least one. */
  examples: readonly NativeExample[];
  /** The centres of training defects in their photographs. */
  centres: ReadonlyMap<NativeExample, DefectPosition>;
  /** Automatic places are like these, if there are some. Otherwise they are like those of the training defects. */
  missed?: readonly MissedPlace[] | undefined;
  startsFromDefect: boolean;
  needsForeground: boolean;
}

/** A photograph for which places are chosen. */
export interface Site {
  photograph: Photograph;
  ground: Ground;
  /** Pixels of the photograph along each side of a window. */
  side: number;
  settings: FinderSettings;
  engine: Pick<PlaceEngine, 'move'>;
}

/** Where the middle of a defect should be in a photograph, and how a training defect is moved for it. */
export interface Spot {
  point: { x: number; y: number };
  /** The box that the defect fills, or the angle by which it is turned. It has neither if its direction is free. */
  move: Pick<NativeMoveOptions, 'box' | 'angle'>;
  /** The share of the defect that must lie on the object. */
  minInside: number;
}

/** At least this share of a defect must lie on the object and inside the photograph. */
export const MIN_INSIDE = 0.9;

/** A photograph gets no place if this number of tries fails. */
export const TRIES = 80;

/** A training defect, and the seed of what is random about its move. */
interface ChosenExample {
  example: NativeExample;
  seed: number;
}

/** Chooses a random training defect. */
export function chooseExample({ settings: { examples } }: Site, random: Random): ChosenExample {
  const example = examples[random.below(examples.length)] as NativeExample;
  return { example, seed: random.below(2 ** 31) };
}

/** Flips, scales and moves a training defect. It fills a box or is turned by an angle, if one of these is given. */
export function moveExample(
  { settings: { resolution }, engine }: Site,
  { example, seed }: ChosenExample,
  how: Pick<NativeMoveOptions, 'box' | 'angle'>,
): Promise<DefectPixels> {
  return engine.move(example, { width: resolution, height: resolution, seed, ...how });
}

/** Cuts the window of a place out of its photograph. */
export async function cutPlace(
  { photograph, ground, settings }: Site,
  place: Pick<Place, 'window' | 'place' | 'method' | 'defect' | 'within'>,
): Promise<Place> {
  const { resolution, needsForeground, startsFromDefect } = settings;
  const { defect, ...rest } = place;
  const marks = ground.foreground ?? (() => false);
  return {
    ...rest,
    photograph: toRgb(await cutWindow(photograph.image, place.window, resolution)).data,
    ...(defect && startsFromDefect && { defect }),
    ...(needsForeground && { foreground: new WindowGrid(place.window, resolution).maskOf(marks) }),
  };
}
