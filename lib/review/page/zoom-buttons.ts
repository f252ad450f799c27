import { html } from '../../components/html.js';
import { Button } from './button.js';
import { REVIEW_KEYS } from './keys.js';

/** What zooms the view, while a pair is looked at and while its mask is mended. */
export type ZoomCommands = Record<'zoomIn' | 'zoomOut' | 'fit' | 'zoomToMask', () => void>;

/** Buttons for those who have neither a wheel nor keys. */
export function ZoomButtons({ commands }: { commands: ZoomCommands }) {
  const button = (name: keyof ZoomCommands, text: string) =>
    html`<${Button} command=${REVIEW_KEYS[name]} onClick=${commands[name]}>${text}<//>`;
  return html`<span class="group" role="group" aria-label="Zoom">
    ${button('zoomIn', 'Zoom in')} ${button('zoomOut', 'Zoom out')} ${button('fit', 'Whole image')}
    ${button('zoomToMask', 'To mask')}
  </span>`;
}
