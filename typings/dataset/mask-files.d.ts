/** Files by name in NFC, without ending. Those of one name are several where their endings differ. */
export type MaskFiles = ReadonlyMap<string, readonly string[]>;
/** The files of a folder that may be missing. */
export declare function masksIn(folder: string): Promise<MaskFiles>;
/** The mask of an image; where there is none, the path that it is expected at. Throws ERR_DATASET_INVALID for two. */
export declare function maskPathOf(image: string, masks: MaskFiles, folder: string): string;
/** The foreground mask of an image, `<name>_mask` or `<name>`; undefined where there is none. */
export declare function foregroundPathOf(image: string, masks: MaskFiles): string | undefined;
/** Names in a warning the masks of `folder` that none of the images has. */
export declare function tellUnused(masks: MaskFiles, images: readonly string[], folder: string): void;
/** Names in a warning the images whose mask is missing. */
export declare function tellUnmarked(examples: readonly {
    image: string;
    mask: string;
}[]): void;
