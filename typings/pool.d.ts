import type { NativePool } from './addon-types.js';
/** A picture, and where it shows a defect. */
export interface Square {
    /** RGB. */
    pixels: Uint8Array;
    /** 0 and 255; nothing set in a good picture. */
    mask: Uint8Array;
}
/** Pictures that detectors learn from or variations are made of, on the engine's side, with their group and type where they are defects. */
export declare class Pool {
    #private;
    readonly handle: NativePool;
    readonly groups: number[];
    readonly types: number[];
    private constructor();
    static create(resolution: number): Promise<Pool>;
    /** A pool that `fill` puts pictures into; freed at once where that fails. */
    static fill(resolution: number, fill: (pool: Pool) => Promise<void>): Promise<Pool>;
    get size(): number;
    /** Tells pools apart by every pixel, group and type. */
    get digest(): string;
    addGood(squares: readonly Square[]): void;
    addDefects(squares: readonly Square[], group: number, type: number): void;
    dispose(): void;
}
