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
 * | `GET /api/measured?after=N&session=SESSION` | {@link MeasuredPairs} after the first N that were measured |
 * | `GET /api/pairs/ID/KIND?v=VERSION` | the file of a {@link PairImageKind} in full size: `pairs/7/mask` |
 * | `GET /api/pairs/ID/thumbnail/KIND?v=VERSION` | a small WebP picture of a {@link ThumbnailKind} |
 * | `GET /api/photographs/ID` | a photograph that defects were placed in, in its full size |
 * | `GET /api/defects/ID/image`, `GET /api/defects/ID/mask` | the photograph and the mask of a real defect |
 * | `PUT /api/pairs/ID/decision` with {@link DecisionRequest} | {@link ReviewChange} |
 * | `PUT /api/pairs/ID/mask` with a PNG file as `image/png` | {@link ReviewChange} |
 * | `POST /api/pairs/ID/undo` with {@link UndoRequest} | {@link ReviewChange}, or the status 409 if it came too late |
 * | `GET /api/events?after=EVENT&session=SESSION` | server-sent events of the type `change`, each with a {@link ReviewChange} |
 *
 * SESSION is {@link ReviewList.session}. The status 410 tells a page that the review was opened again since. The service
 * has the same requests below `/v1/jobs/ID/review`, with its own tokens and cookie.
 *
 * ID is the place in the list that holds the pair, photograph or defect. VERSION is {@link ReviewState.version}, which
 * lets the browser keep pictures. A page names itself in the header `x-reviewer` of what it changes (up to 64 of the
 * characters `A-Z a-z 0-9 -`), so that it can tell its own changes among the events. Every page gets every change. The
 * id of an event is {@link ReviewChange.event}, so that a browser that connects again gets the changes that it missed.
 */

import type { Box, Decision, ShownPair } from '../components/pair.js';

/** The files of a pair. `mask` is the corrected mask if there is one, and `original-mask` is the generated one. */
export type PairImageKind = 'image' | 'part' | 'mask' | 'original-mask';

/** The small pictures of a pair. `outline` is the image with the outline of its mask. */
export type ThumbnailKind = 'image' | 'outline' | 'part' | 'mask';

/** What changes while pairs are reviewed. */
export interface ReviewState extends Pick<ShownPair, 'decision' | 'isCorrected' | 'area' | 'box'> {
  /**
   * The number of the pair's latest decision or correction that can be undone. It is null if there is none. An undo sends
   * it, so that it never takes back what another reviewer did a moment before.
   */
  undoable: number | null;
  /** This text is empty until the pair is measured. It changes with the files of the pair and with its mask. */
  version: string;
}

/** One pair. */
export interface ReviewPair extends ShownPair, ReviewState {
  /** The folder that holds the pair, as a place in {@link ReviewList.folders}. */
  folder: number;
  /** The photograph that defects were placed in, as a place in {@link ReviewList.photographs}, if it was found. */
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
  box: Box;
}

export interface ReviewList {
  /** The name of the folder that is reviewed. */
  title: string;
  /** The name of this review. Numbers of events and measured pairs count within it. */
  session: string;
  /** The folders of the pairs, relative to the reviewed one. The folder itself is an empty text. */
  folders: string[];
  pairs: ReviewPair[];
  photographs: { name: string }[];
  defects: RealDefect[];
  /** The number of the latest event. Events after it are not in the list yet. */
  event: number;
  /** The number of pairs that are measured. The others have the width 0 and an empty version. */
  measured: number;
}

/** Pairs that were measured after the list was made. */
export interface MeasuredPairs {
  /** The number of the latest event. */
  event: number;
  /** They follow those that the page knows already. The list is empty if no other pair was measured for a while. */
  pairs: { id: number; pair: ReviewPair }[];
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
