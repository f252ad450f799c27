/**
 * Declares what the server of `dualanodiff review` and its page send each other. The page imports this file as well, so
 * that it holds types only.
 *
 * The command prints an address with a token: `GET /?token=…` stores the token in a cookie and leads to `/`. All other
 * requests need the cookie. Errors have the status 4xx or 5xx and the body {@link ReviewError}.
 *
 * | request | answer |
 * |---|---|
 * | `GET /api/pairs` | {@link ReviewList} |
 * | `GET /api/pairs/ID/KIND?v=VERSION` | the file of a {@link PairImageKind} in full size: `pairs/7/mask` |
 * | `GET /api/pairs/ID/thumbnail/KIND?v=VERSION` | a small WebP picture of a {@link ThumbnailKind} |
 * | `GET /api/photographs/ID` | a photograph that defects were placed in, in its full size |
 * | `GET /api/defects/ID/image`, `GET /api/defects/ID/mask` | the photograph and the mask of a real defect |
 * | `PUT /api/pairs/ID/decision` with {@link DecisionRequest} | {@link ReviewChange} |
 * | `PUT /api/pairs/ID/mask` with a PNG file as `image/png` | {@link ReviewChange} |
 * | `POST /api/pairs/ID/undo` with {@link UndoRequest} | {@link ReviewChange}, or the status 409 if it came too late |
 * | `GET /api/events?after=EVENT` | server-sent events of the type `change`, each with a {@link ReviewChange} |
 *
 * ID is the place in the list that holds the pair, photograph or defect. VERSION is {@link ReviewState.version}, which
 * lets the browser keep pictures. A page names itself in the header `x-reviewer` of what it changes (up to 64 of the
 * characters `A-Z a-z 0-9 -`), so that it can tell its own changes among the events. Every page gets every change. The
 * id of an event is {@link ReviewChange.event}, so that a browser that connects again gets the changes that it missed.
 */

/** A rectangle in pixels. */
export interface ReviewBox {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The reasons why somebody should look at a pair first. */
export type Suspicion = 'empty' | 'invisible' | 'disagreeing' | 'extreme';

/** The files of a pair. `mask` is the corrected mask if there is one, and `original-mask` is the generated one. */
export type PairImageKind = 'image' | 'part' | 'mask' | 'original-mask';

/** The small pictures of a pair. `outline` is the image with the outline of its mask. */
export type ThumbnailKind = 'image' | 'outline' | 'part' | 'mask';

export type Decision = 'keep' | 'drop';

/** What changes while pairs are reviewed. */
export interface ReviewState {
  /** The decision is null until somebody has decided, and again after an undo. */
  decision: Decision | null;
  /** True if somebody has corrected the mask. */
  isCorrected: boolean;
  /** The number of marked pixels of the mask. */
  area: number;
  /** The smallest box around the marked pixels. It is null for an empty mask, and for a pair without a mask. */
  box: ReviewBox | null;
  /**
   * The number of the pair's latest decision or correction that can be undone. It is null if there is none. An undo sends
   * it, so that it never takes back what another reviewer did a moment before.
   */
  undoable: number | null;
  /** This text changes with the files of the pair and with its mask. */
  version: string;
}

/**
 * One pair. Fields that its record does not have are absent. Agreement, contrast, change IoU and suspicions describe the
 * generated mask, also after a correction.
 */
export interface ReviewPair extends ReviewState {
  /** The number of the pair in its folder. */
  index: number;
  type: string;
  /** The folder that holds the pair, as a place in {@link ReviewList.folders}. */
  folder: number;
  /** The size of the image in pixels. The part and the mask have the same. It is 0 if the image cannot be read. */
  width: number;
  height: number;
  hasMask: boolean;
  /** Why the pair cannot be shown as a whole, such as a file that is missing. It can be dropped nevertheless. */
  problem?: string;
  recipe?: string;
  seed: number;
  /** The mean IoU of the masks that several methods found, 0 to 1. */
  agreement?: number;
  /** The weakest change that a placed defect makes in its photograph, as a share of the range, 0 to 1. */
  contrast?: number;
  /** The lowest IoU of the mask of a placed defect and of the pixels that it changed, 0 to 1. */
  changeIou?: number;
  suspicions: Suspicion[];
  /** The name of the photograph that defects were placed in. */
  photograph?: string;
  /** The photograph as a place in {@link ReviewList.photographs}, if it was found. */
  photographId?: number;
  /** The real defect that is nearest in type, size and position, as a place in {@link ReviewList.defects}. */
  defectId?: number;
}

/** A real defect of the category that `--data` names. */
export interface RealDefect {
  /** The name of the photograph. */
  name: string;
  type: string;
  width: number;
  height: number;
  area: number;
  box: ReviewBox;
}

export interface ReviewList {
  /** The name of the folder that is reviewed. */
  title: string;
  /** The folders of the pairs, relative to the reviewed one. The folder itself is an empty text. */
  folders: string[];
  pairs: ReviewPair[];
  photographs: { name: string }[];
  defects: RealDefect[];
  /** The number of the latest event. Events after it are not in the list yet. */
  event: number;
}

export interface DecisionRequest {
  decision: Decision;
}

export interface UndoRequest {
  /** The value of {@link ReviewState.undoable} that the page shows. */
  undoable: number;
}

/** A decision, a correction or an undo of some reviewer. */
export interface ReviewChange {
  /**
   * The number of the event, from 1 on. It starts again when the server does. The answer to a decision that was made
   * already has the number of the latest event, which may be 0.
   */
  event: number;
  /** The pair as its place in {@link ReviewList.pairs}. */
  id: number;
  action: Decision | 'mask' | 'undo';
  /** The name that the page gave in `x-reviewer`, or an empty text. */
  reviewer: string;
  /** The pair after the change. */
  state: ReviewState;
}

/** The body of an error. An undo that came too late also gets the state of the pair. */
export interface ReviewError {
  error: { code: string; message: string };
  state?: ReviewState;
}
