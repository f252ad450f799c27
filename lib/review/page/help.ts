import { useLayoutEffect, useRef } from 'preact/hooks';
import { html } from '../../components/html.js';
import { type Keys, keyName, MEND_KEYS, REVIEW_KEYS } from './keys.js';

function KeyTable({ title, keys }: { title: string; keys: Keys<string> }) {
  // Keys that do the same, such as the arrows, share a row. Their text tells what Shift does.
  const namesOf = new Map<string, string[]>();
  for (const { keys: names, does } of Object.values(keys)) namesOf.set(does, [...(namesOf.get(does) ?? []), ...names]);
  const rows = [...namesOf].map(
    ([does, names]) =>
      html`<tr><th scope="row">${names.filter((name) => !name.startsWith('Shift+')).map((name) => html`<kbd>${keyName(name)}</kbd> `)}</th><td>${does}</td></tr>`,
  );
  return html`<section><h3>${title}</h3><table><tbody>${rows}</tbody></table></section>`;
}

/** Lists the keys. The browser keeps the focus inside of it, and closes it with the Escape key. */
export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Keys must do nothing behind it from the first moment on.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return html`<dialog ref=${dialog} aria-labelledby="help-title" onClose=${onClose}>
    <form method="dialog"><button>Close</button></form>
    <h2 id="help-title">Keys</h2>
    <div class="key-tables">
      <${KeyTable} title="Review" keys=${REVIEW_KEYS} />
      <${KeyTable} title="Mend a mask" keys=${MEND_KEYS} />
    </div>
    <p>The wheel zooms and dragging moves the image. While a mask is mended, the right button moves it.</p>
  </dialog>`;
}
