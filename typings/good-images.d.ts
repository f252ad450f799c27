/** How layouts share out defects. */
interface LayoutShares {
    ownShare: number;
    smallOwnShare: number;
    pasteShare: number;
    smallPasteShare?: number | undefined;
    thinPasteShare?: number | undefined;
    pasteOnDefects: boolean;
}
/** Whether some layouts put a defect onto a good image. */
export declare function needsGoodImages(shares: LayoutShares): boolean;
/** Throws ERR_DATASET_INVALID that names where good images are expected. */
export declare function refuseNoGoodImages(folder: string, instead: string): never;
export {};
