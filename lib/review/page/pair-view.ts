import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Facts } from '../../components/facts.js';
import { html } from '../../components/html.js';
import { decisionName } from '../../components/words.js';
import type { PairImageKind, ReviewPair } from '../contract.js';
import { REVIEW_KEYS } from './keys.js';
import type { Mask } from './mask.js';
import { Mender } from './mender.js';
import { type Display, Panel, RealDefectPanel, useDrawn } from './panels.js';
import type { Review } from './review.js';
import { useKeys } from './use-keys.js';
import { useImage, useMask } from './use-loaded.js';
import { type Viewport, WHOLE, zoomed, zoomedTo } from './viewport.js';
import { factsIn, nameOf } from './words.js';
import { ZoomButtons, type ZoomCommands } from './zoom-buttons.js';

export interface PairViewProps {
  review: Review;
  id: number;
  /** The place of the pair among those shown, from 1 on, and their number. */
  position: number;
  count: number;
  /** The pair that is shown next. Its picture is loaded early. */
  nextId: number | undefined;
  display: Display;
  isMending: boolean;
  onMended(): void;
  onHelp(): void;
}

const ZOOM_STEP = 1.5;

const addressOf = (id: number, { version }: ReviewPair, kind: PairImageKind) =>
  `api/pairs/${id}/${kind}?v=${encodeURIComponent(version)}`;

/** The mask fits a photograph only if the pair shows all of it in its own size. */
const hasSizeOf = ({ naturalWidth, naturalHeight }: HTMLImageElement, { width, height }: ReviewPair) =>
  naturalWidth === width && naturalHeight === height;

/** Shows one pair in full size, beside what it came from. */
export function PairView(props: PairViewProps) {
  const { review, id, position, count, nextId, display, isMending, onMended, onHelp } = props;
  const pair = review.pairs[id] as ReviewPair;
  const { list } = review;
  const [viewport, setViewport] = useState<Viewport>(WHOLE);
  const heading = useRef<HTMLHeadingElement>(null);
  const canShow = pair.problem === undefined;
  const image = useImage(canShow ? addressOf(id, pair, 'image') : undefined);
  const part = useImage(canShow && display.withComparison ? addressOf(id, pair, 'part') : undefined);
  const { photographId, defectId } = pair;
  const wantsPhotograph = display.withComparison && photographId !== undefined;
  const photograph = useImage(wantsPhotograph ? `api/photographs/${photographId}` : undefined);
  const mask = useMask(canShow && pair.hasMask ? addressOf(id, pair, 'mask') : undefined);
  const drawn = useDrawn(mask);
  const defect = defectId === undefined ? undefined : list.defects[defectId];

  const name = nameOf(pair, list);
  // A mask that is being mended stays the same until it is saved, even if another reviewer saves a mask meanwhile.
  const mended = useRef<{ image: HTMLImageElement; original: Mask } | undefined>(undefined);
  if (!isMending) mended.current = undefined;
  else if (image && mask) mended.current ??= { image, original: mask };

  // A key that follows at once must find the whole image.
  useLayoutEffect(() => setViewport(WHOLE), [id]);
  // The focus begins at the top, after the grid and after the mask was mended.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), [isMending]);
  useEffect(() => {
    const next = nextId === undefined ? undefined : review.pairs[nextId];
    if (next && nextId !== undefined && next.problem === undefined) new Image().src = addressOf(nextId, next, 'image');
  }, [nextId]);
  useEffect(() => {
    if (!isMending || mended.current || (image !== null && mask !== null)) return;
    review.notify(`The mask of ${name} cannot be mended, because a picture could not be loaded.`);
    onMended();
  }, [isMending, image, mask]);
  const zoom = (factor: number) => setViewport(zoomed(viewport, factor, pair));
  const zoomCommands: ZoomCommands = {
    zoomIn: () => zoom(ZOOM_STEP),
    zoomOut: () => zoom(1 / ZOOM_STEP),
    fit: () => setViewport(WHOLE),
    zoomToMask: () => pair.box && setViewport(zoomedTo(pair.box, pair)),
  };
  useKeys(REVIEW_KEYS, zoomCommands, !isMending);

  const decision = review.decisionOf(pair, id);
  const shared = { viewport, onViewport: setViewport };
  if (mended.current) {
    return html`<${Mender} name=${name} review=${review} id=${id} ...${mended.current} ...${shared}
      zoomCommands=${zoomCommands} onClose=${onMended} onHelp=${onHelp} />`;
  }
  return html`<article class="pair-view" aria-labelledby="pair-name">
    <h2 id="pair-name" tabindex="-1" aria-live="polite" ref=${heading}>
      ${name}, <small>${pair.type}, ${position} of ${count}</small> <span class="decision ${decision ?? 'none'}">${decisionName(decision)}${review.isSaving(id) ? ', not saved yet' : ''}</span>
    </h2>
    ${canShow ? html`<div><${ZoomButtons} commands=${zoomCommands} /></div>` : html`<p class="failed">${pair.problem}</p>`}
    <div class="panels">
      ${
        canShow &&
        html`<${Panel} caption="Generated image" label="Generated image of ${name}, ${pair.type}" image=${image}
          mask=${drawn} ...${display} ...${shared} />`
      }
      ${
        wantsPhotograph &&
        html`<${Panel} caption="Photograph ${pair.photograph}" label="Photograph ${pair.photograph}"
          image=${photograph} mask=${photograph && hasSizeOf(photograph, pair) ? drawn : undefined} withOutline=${display.withOutline} ...${shared} />`
      }
      ${
        display.withComparison &&
        canShow &&
        html`<${Panel} caption="Anomaly part" label="Anomaly part of ${name}" image=${part} ...${shared} />`
      }
      ${
        display.withComparison &&
        defect &&
        html`<${RealDefectPanel} id=${defectId as number} defect=${defect} display=${display} />`
      }
    </div>
    <${Facts} facts=${factsIn(list, pair)} />
  </article>`;
}
