/** The package's own folder: the nearest one above this file with a package.json of our name. */
export declare const packageRoot: string;
/** The embedded default: a small base model, a mask model and an example set. */
export declare const embedded: {
    base: string;
    maskModel: string;
    example: string;
};
