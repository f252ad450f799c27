/** Shows what the detectors got wrong: how much of it, and the defects that most runs missed. */

import { fewAtOnce } from '../core/few-at-once.js';
import { type Box, cutOut, middleOf, type Size, startAround } from '../dataset/cut.js';
import { type Example, readExample } from '../dataset/example-file.js';
import type { Evaluation, EvaluationRun } from '../evaluate/evaluation.js';
import { countText, MISS_COLUMNS, missTable } from '../evaluate/miss-table.js';
import { isDecided, missedIn } from '../evaluate/misses.js';
import type { Split } from '../evaluate/split.js';
import { SHOTS } from '../evaluate/table.js';
import { escapeHtml, picture, shownAttributes } from './html.js';
import { outlined } from './overlay.js';
import { sortableTable } from './table.js';
import type { Thumbnails } from './thumbnails.js';

/** The largest number of missed defects that are shown. */
const SHOWN = 24;
/** The picture of a defect is this many times as large as its box, and has at least this number of pixels a side. */
const CONTEXT = 3;
const SMALLEST = 64;

/** A defect, and the runs that missed it. */
interface MissedDefect {
  type: string;
  name: string;
  box: Box;
  area: number;
  by: EvaluationRun[];
}

/** Returns the defects that any run missed: those that most runs missed first, and the larger ones of these first. */
function missedDefects(runs: readonly EvaluationRun[]): MissedDefect[] {
  const found = new Map<string, MissedDefect>();
  for (const run of runs) {
    for (const { image, defect } of missedIn(run)) {
      const { type, name } = image;
      const { box, area } = defect;
      const key = JSON.stringify([type, name, box]);
      const known = found.get(key);
      if (known) known.by.push(run);
      else found.set(key, { type, name, box, area, by: [run] });
    }
  }
  return [...found.values()].sort((a, b) => b.by.length - a.by.length || b.area - a.area);
}

/** Returns the part of a photograph around a box. It lies inside the photograph. */
function around(box: Box, photograph: Size): Box {
  const { x, y } = middleOf(box);
  const side = Math.max(SMALLEST, CONTEXT * Math.max(box.width, box.height));
  const [width, height] = [Math.min(side, photograph.width), Math.min(side, photograph.height)];
  return {
    ...{ left: startAround(x, width, photograph.width), top: startAround(y, height, photograph.height) },
    ...{ width, height },
  };
}

async function drawDefect(example: Example, box: Box) {
  const { image, mask } = await readExample(example);
  const part = around(box, image);
  return outlined({ image: await cutOut(image, part, part), mask: await cutOut(mask, part, part) });
}

/** Names the rows and detectors that missed a defect, with the number of their runs. */
function namesOf(by: readonly EvaluationRun[]): string {
  const counts = new Map<string, number>();
  for (const { row, detector, shots } of by) {
    const name = `${row}, ${detector}${shots === undefined ? '' : `, ${shots} shots`}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join('; ');
}

/** Shows how many defects each detector missed, and how many good images it called defects. */
function missesTable(evaluation: Evaluation): string {
  const hasShots = evaluation.shots !== undefined;
  const body = missTable(evaluation).map(({ row, detector, shots, values }) => ({
    shown: { row, detector },
    labels: [...(shots === undefined ? [] : [shots]), row, detector],
    cells: values.map((value) => ({ html: countText(value), value })),
  }));
  return sortableTable('misses', [...(hasShots ? [SHOTS] : []), 'trained on', 'detector', ...MISS_COLUMNS], body);
}

/** Shows the mistakes of all runs. Returns an empty text if no run has thresholds. */
export async function missSection(split: Split, evaluation: Evaluation, thumbnails: Thumbnails): Promise<string> {
  if (missTable(evaluation).length === 0) return '';
  const decided = evaluation.runs.filter(isDecided).length;
  const missed = missedDefects(evaluation.runs);
  const figures = await fewAtOnce(missed.slice(0, SHOWN), async ({ type, name, box, by }) => {
    const example = split.testing.get(type)?.find((one) => one.name === name) as Example;
    const kind = `missed ${JSON.stringify(box)}`;
    const thumbnail = await thumbnails.add(kind, [example.image, example.mask], () => drawDefect(example, box));
    const label = `${type} ${name}, ${box.width} x ${box.height} pixels`;
    const caption = `${label}: missed by ${by.length} of ${decided} runs`;
    return `<figure${shownAttributes({ type })}>${picture(thumbnail, `${label}, missed by ${namesOf(by)}`)}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
  });
  const title = `Missed defects: ${figures.length < missed.length ? `${figures.length} of ` : ''}${missed.length}, those that most runs missed first`;
  const list =
    missed.length === 0
      ? '<p>No run missed a defect.</p>'
      : `<h3>${title}</h3><div class="maps" id="missed">${figures.join('')}</div>`;
  return `<h2>Misses and false alarms</h2><p>A defect is missed if none of its pixels reaches the threshold of pixels above. A good image whose score reaches the threshold of images is a false alarm. The numbers are means over the seeds. <code>misses.jsonl</code> and <code>false-alarms.jsonl</code> list all of them.</p>${missesTable(evaluation)}${list}`;
}
