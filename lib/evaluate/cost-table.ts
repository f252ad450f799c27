/** The table of what each detector costs. */
import type { Evaluation } from './evaluation.js';
import { mean } from './scores.js';

/** A line of the table. The values are means over the runs of a detector. */
export interface CostLine {
  detector: string;
  /** The seconds of a fit, the milliseconds for an image, and the megabytes of the saved detector. */
  values: [fitSeconds: number, imageMs: number, megabytes: number];
}

export const COST_COLUMNS = ['fit (s)', 'image (ms)', 'size (MB)'];

/** Returns a line for each detector. Results of an earlier version have no costs. */
export function costTable({ detectors, runs }: Evaluation): CostLine[] {
  return detectors.flatMap((detector) => {
    const costs = runs.flatMap((run) => (run.detector === detector && run.cost ? [run.cost] : []));
    if (costs.length === 0) return [];
    const values: CostLine['values'] = [
      mean(costs.map(({ fitSeconds }) => fitSeconds)),
      mean(costs.map(({ imageMs }) => imageMs)),
      mean(costs.map(({ megabytes }) => megabytes)),
    ];
    return [{ detector, values }];
  });
}

/** Formats a value with three digits. */
export const costText = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Returns the table as Markdown. The list is empty if no run has costs. */
export function costMarkdown(evaluation: Evaluation): string[] {
  const lines = costTable(evaluation);
  if (lines.length === 0) return [];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = lines.map(({ detector, values }) => columns([detector, ...values.map(costText)]));
  return [[columns(['detector', ...COST_COLUMNS]), columns(['---', '---:', '---:', '---:']), ...body].join('')];
}
