/**
 * What the package runs on. Plain JavaScript, because `scripts/setup.mjs` asks before anything is compiled.
 */
/** The oldest versions that work: Debian 12 and Ubuntu 22.04 have these libraries. `scripts/check-glibc.mjs` checks ours. */
export declare const REQUIRED: {
    node: string;
    glibc: string;
    glibcxx: string;
};
export type Platform = {
    /**
     * as `process.platform` names it
     */
    platform: string;
    /**
     * as `process.arch` names it
     */
    arch: string;
    /**
     * undefined where Node does not say
     */
    libc: 'glibc' | 'musl' | undefined;
    /**
     * the version of glibc
     */
    glibc: string | undefined;
    /**
     * the libraries that Node has opened
     */
    sharedObjects: readonly string[];
};
/**
 * @typedef {object} Platform
 * @property {string} platform as `process.platform` names it
 * @property {string} arch as `process.arch` names it
 * @property {'glibc' | 'musl' | undefined} libc undefined where Node does not say
 * @property {string | undefined} glibc the version of glibc
 * @property {readonly string[]} sharedObjects the libraries that Node has opened
 */
/**
 * The platform of this process, from Node's own report.
 * @returns {Platform}
 */
export declare function thisPlatform(): Platform;
/**
 * Whether a version such as 2.34 or 20.19.0 is older than another one.
 * @param {string} version
 * @param {string} other
 */
export declare const isOlder: (version: string, other: string) => boolean;
/**
 * Why the package does not run on a platform and what to use there instead; undefined where it does.
 * @param {Pick<Platform, 'platform' | 'arch' | 'libc' | 'glibc'>} where
 * @returns {{ reason: string, advice: string } | undefined}
 */
export declare function unsupportedPlatform({ platform, arch, libc, glibc }: Pick<Platform, 'platform' | 'arch' | 'libc' | 'glibc'>): {
    reason: string;
    advice: string;
} | undefined;
