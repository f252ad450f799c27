/** The table of what each detector costs. */
import type { Evaluation } from './evaluation.js';
import { mean } from './scores.js';

/** A line of the table. The values are means over the runs of a detector while as many networks shared the machine. */
export interface CostLine {
  detector: string;
  /** Results of an earlier version do not know it. */
  concurrency: number | undefined;
  /** The seconds of a fit, the milliseconds for an image, and the megabytes of the saved detector. */
  values: [fitSeconds: number, imageMs: number, megabytes: number];
}

export const COST_LABELS = ['detector', 'networks at once'];
export const COST_COLUMNS = ['fit (s)', 'image (ms)', 'size (MB)'];

/**
 * Returns a line for each detector and for each number of networks that shared the machine, because times depend on it.
 * Results of an earlier version have no costs.
 */
export function costTable({ detectors, runs }: Evaluation): CostLine[] {
  return detectors.flatMap((detector) => {
    const all = runs.flatMap((run) => (run.detector === detector && run.cost ? [run.cost] : []));
    return [...new Set(all.map(({ concurrency }) => concurrency))].map((concurrency) => {
      const costs = all.filter((cost) => cost.concurrency === concurrency);
      const values: CostLine['values'] = [
        mean(costs.map(({ fitSeconds }) => fitSeconds)),
        mean(costs.map(({ imageMs }) => imageMs)),
        mean(costs.map(({ megabytes }) => megabytes)),
      ];
      return { detector, concurrency, values };
    });
  });
}

/** Formats a value with three digits. */
export const costText = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Returns the table as Markdown. The list is empty if no run has costs. */
export function costMarkdown(evaluation: Evaluation): string[] {
  const lines = costTable(evaluation);
  if (lines.length === 0) return [];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = lines.map(({ detector, concurrency, values }) =>
    columns([detector, String(concurrency ?? '-'), ...values.map(costText)]),
  );
  const align = columns(['---', ...Array(COST_COLUMNS.length + 1).fill('---:')]);
  return [[columns([...COST_LABELS, ...COST_COLUMNS]), align, ...body].join('')];
}
