/** Names what placing defects needs of the engine. */
import type {
  NativeMoveOptions,
  NativePasted,
  NativePasteOptions,
  NativePlaced,
  NativePlaceOptions,
  NativePlaceWindow,
} from '../../addon-types.js';
import { runNative, type TaskOptions } from '../../run-native.js';
import type { Sampler } from '../sampler.js';
import type { DefectPixels } from './defect-pixels.js';

export interface PlaceEngine {
  /** Draws a defect into each window. */
  draw(windows: NativePlaceWindow[]): Promise<NativePlaced[]>;
  /** Flips, turns, scales and moves a training defect. */
  move(defect: DefectPixels, options: NativeMoveOptions): Promise<DefectPixels>;
  /** Adds the change of a drawn window to the pixels of the photograph there. */
  paste(photograph: Uint8Array, drawn: NativePlaced, options: NativePasteOptions): Promise<NativePasted>;
}

/** Returns the engine's functions for a sampler. */
export function placeEngine(
  sampler: Sampler,
  options: NativePlaceOptions,
  { signal, onProgress }: TaskOptions & { onProgress?: ((step: number, steps: number) => void) | undefined },
): PlaceEngine {
  return {
    draw: (windows) =>
      runNative({ signal, onProgress }, (_, task, progress) => sampler.native.place(options, windows, task, progress)),
    move: ({ image, mask }, move) =>
      runNative({ signal }, (engine, task) => engine.moveDefect(image, mask, move, task)),
    paste: (photograph, { change, mask }, paste) =>
      runNative({ signal }, (engine, task) => engine.pasteBack(photograph, change, mask, paste, task)),
  };
}
