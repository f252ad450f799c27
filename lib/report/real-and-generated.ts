import { fewAtOnce } from '../core/few-at-once.js';
import type { Example } from '../dataset/example-file.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import type { Row } from '../evaluate/rows.js';
import { outlineOf } from './evaluation-cases.js';
import { escapeHtml, picture, shownAttributes } from './html.js';
import type { Thumbnails } from './thumbnails.js';

/** The number of real and of generated images that are shown for each type. */
const SHOWN_IMAGES = 8;

async function strip(thumbnails: Thumbnails, examples: readonly Example[], what: string): Promise<string> {
  const pictures = await fewAtOnce(examples.slice(0, SHOWN_IMAGES), async (example) =>
    picture(await outlineOf(thumbnails, example), `${what} ${example.name}`),
  );
  return `<div class="strip">${pictures.join('')}</div>`;
}

/** Shows real images of each type above generated ones. */
export async function realAndGenerated(evaluator: Evaluator, row: Row, thumbnails: Thumbnails): Promise<string> {
  const { name, generated } = row;
  const sections: string[] = [];
  for (const [type, examples] of evaluator.split.training) {
    const real = await strip(thumbnails, examples, `real ${type}`);
    const made = await strip(thumbnails, generated?.[0]?.types.get(type) ?? [], `${name} ${type}`);
    const title = `${escapeHtml(type)}: real, then ${escapeHtml(name)}`;
    sections.push(`<section${shownAttributes({ type, row: name })}><h3>${title}</h3>${real}${made}</section>`);
  }
  return sections.join('\n');
}
