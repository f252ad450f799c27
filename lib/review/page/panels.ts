import { useEffect, useMemo, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import type { RealDefect } from '../contract.js';
import { type DrawnMask, drawnMask } from './drawing.js';
import type { Mask } from './mask.js';
import { Stage, type StageProps } from './stage.js';
import { type Loaded, useImage, useMask } from './use-loaded.js';
import { type Viewport, WHOLE } from './viewport.js';

/** What the reviewer has chosen to see on top of the pairs, and beside them. */
export interface Display {
  withOverlay: boolean;
  withOutline: boolean;
  withComparison: boolean;
}

/** Returns the mask in the form that is drawn, or undefined until it is loaded. */
export const useDrawn = (mask: Loaded<Mask>): DrawnMask | undefined =>
  useMemo(() => (mask ? drawnMask(mask) : undefined), [mask]);

/** A picture with its caption. */
export function Panel({ caption, ...stage }: StageProps & { caption: string }) {
  return html`<figure><${Stage} ...${stage} /><figcaption>${caption}</figcaption></figure>`;
}

/** The nearest real defect. It has a viewport of its own, because it is another picture. */
export function RealDefectPanel({ id, defect, display }: { id: number; defect: RealDefect; display: Display }) {
  const [viewport, setViewport] = useState<Viewport>(WHOLE);
  const image = useImage(`api/defects/${id}/image`);
  const drawn = useDrawn(useMask(`api/defects/${id}/mask`));
  useEffect(() => setViewport(WHOLE), [id]);
  return html`<${Panel} caption="Nearest real defect: ${defect.name}" label="Real defect of ${defect.name}" image=${image}
    mask=${drawn} ...${display} viewport=${viewport} onViewport=${setViewport} />`;
}
