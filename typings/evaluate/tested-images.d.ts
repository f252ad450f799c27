import type { NativeTaskOptions } from '../run-native.js';
import type { Detection } from './detection.js';
/** One tested image of a defect in one run: the pixel average precision of its map, and the map's file below the folder. */
export interface TestedImage {
    type: string;
    name: string;
    pixelAp: number;
    map: string;
}
/** One tested good image in one run: the mean of its map, 0 to 1, all of it false alarm, and the map's file. */
export interface TestedGood {
    name: string;
    meanProbability: number;
    map: string;
}
/** A good image's name below `test/good`, with its ending: 000.png and 000.jpg are two images. */
export declare function goodNameOf(file: string): string;
/**
 * Writes the maps of a run as pictures in `maps` below the folder, 255 for a certain defect, and says how well each
 * image was judged.
 */
export declare function writeMaps(folder: string, maps: string, { tested, good }: Pick<Detection, 'tested' | 'good'>, size: number, options: NativeTaskOptions): Promise<{
    images: TestedImage[];
    good: TestedGood[];
}>;
