/** Throws ERR_UNSUPPORTED_PLATFORM, which says what to use instead, where the package cannot run. */
export declare function requirePlatform(platform?: import("../platform.js").Platform): void;
/** The newest version of a symbol set, such as GLIBCXX, that a library defines or asks for. Read from its strings. */
export declare function newestSymbolVersion(file: string, set: 'GLIBC' | 'GLIBCXX'): string | undefined;
/** What the engine in a folder needs; what the package promises where there is none. */
export declare function engineNeeds(binaryFolder: string | undefined): {
    glibc: string;
    glibcxx: string;
};
/** The libstdc++ that Node has opened, which the engine gets, too; undefined where Node brings its own inside. */
export declare function libstdcxx(sharedObjects?: readonly string[]): {
    file: string;
    version: string;
} | undefined;
/** What to do where libstdc++ is too old; undefined where it is not. `needed` is a version of GLIBCXX. */
export declare const libstdcxxAdvice: (version: string, needed: string) => string | undefined;
/** Throws ERR_UNSUPPORTED_PLATFORM where the engine in a folder would not find the libstdc++ that it needs. */
export declare function requireLibstdcxx(binaryFolder: string | undefined): void;
