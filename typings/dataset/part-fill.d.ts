import type { LoadedExample } from './dataset.js';
export type PartFill = 'grey' | 'black';
/** The level of a part's blank, 0 to 255. */
export declare const fillLevel: Record<PartFill, number>;
/** The blank that more of the defects' pixels can be told from; grey where it is the same. */
export declare function clearerFill(examples: readonly LoadedExample[]): PartFill;
