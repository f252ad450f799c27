/** What the report of `run` and the page of `review` show of a pair. This file holds types only. */

/** A rectangle in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The reasons why somebody should look at a pair first. */
export type Suspicion = 'empty' | 'invisible' | 'disagreeing' | 'extreme';

export type Decision = 'keep' | 'drop';

/**
 * One pair. Fields that its record does not have are absent. Agreement, contrast, change IoU and suspicions describe the
 * generated mask, also after a correction.
 */
export interface ShownPair {
  /** The number of the pair in its folder. */
  index: number;
  type: string;
  seed: number;
  /** The size of the image in pixels. The part and the mask have the same. It is 0 until it is known. */
  width: number;
  height: number;
  hasMask: boolean;
  /** The number of marked pixels of the mask in use. */
  area: number;
  /** The smallest box around the marked pixels. It is null for an empty mask, and for a pair without a mask. */
  box: Box | null;
  /** The decision is null until somebody has decided, and again after an undo. */
  decision: Decision | null;
  /** True if somebody has corrected the mask. */
  isCorrected: boolean;
  suspicions: Suspicion[];
  /** Why the pair cannot be shown as a whole, such as a file that is missing. */
  problem?: string;
  recipe?: string;
  /** The mean IoU of the masks that several methods found, 0 to 1. */
  agreement?: number;
  /** The weakest change that a placed defect makes in its photograph, as a share of the range, 0 to 1. */
  contrast?: number;
  /** The lowest IoU of the mask of a placed defect and of the pixels that it changed, 0 to 1. */
  changeIou?: number;
  /** The name of the photograph that defects were placed in. */
  photograph?: string;
}

/** The size and the position of a defect. Every number is a share of the image, 0 to 1. */
export interface Shape {
  /** The marked pixels as a share of all pixels. */
  area: number;
  /** The middle of the box around the defect, as shares of the image's width and height. */
  x: number;
  y: number;
}
