import { type Platform } from '../platform.js';
/** One line of `doctor`. */
export interface Check {
    what: string;
    ok: boolean;
    found: string;
    /** What to do where it is not. */
    advice?: string;
}
export declare function checkNode(version?: string): Check;
export declare function checkPlatform(where: Platform): Check;
/** `needed` are the versions that the engine asks for. */
export declare function checkGlibc(glibc: string | undefined, needed: string): Check;
export declare function checkLibstdcxx(library: {
    file: string;
    version: string;
} | undefined, needed: string): Check;
/** `flags` are those of /proc/cpuinfo. A plain CPU works, too, but slowly. */
export declare function checkCpu(model: string, flags: ReadonlySet<string>): Check;
/** Room is asked for only as long as libtorch is not there. */
export declare function checkDisk(folder: string, freeMb: number, neededMb: number): Check;
/** What the machine has and the engine needs: none of it asks for libtorch or a network. */
export declare function systemChecks(): Promise<Check[]>;
