/**
 * Measures how well detectors learn from pairs: makes pairs, trains detectors on them, and tests these on real images.
 */
import { join, resolve } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { jsonLines } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { backbonesOf, comparisonBackbone } from '../detect/backbone.js';
import { DETECTORS, USUAL_BACKBONE } from '../detect/kinds.js';
import { costMarkdown } from '../evaluate/cost-table.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { missMarkdown } from '../evaluate/miss-table.js';
import { mistakesOf } from '../evaluate/misses.js';
import { qualityTable } from '../evaluate/quality-table.js';
import { requireLearner } from '../evaluate/rows.js';
import { worthMarkdown } from '../evaluate/shots-worth.js';
import { csvTable, type Line, markdownTable, tableOf } from '../evaluate/table.js';
import { thresholdMarkdown } from '../evaluate/threshold-table.js';
import { baseOptions } from '../options/base.js';
import { checkOptions } from '../options/check.js';
import { evaluatorOptions } from '../options/evaluation.js';
import type { EvaluateJobOptions } from '../options/generated.js';
import { evaluateSchema } from '../options/jobs.js';
import { trainSteps } from '../options/training.js';
import { pickGiven } from '../recipes/recipe.js';
import { writeEvaluationReport } from '../report/evaluation-report.js';
import { makePairs } from './evaluated-pairs.js';
import { type JobContext, warnOf } from './job.js';

/** Holds the result of an evaluation. */
export interface EvaluateResult {
  out: string;
  /** These are the files of the result. */
  files: { json: string; markdown: string; csv: string; report: string; misses: string; falseAlarms: string };
  /** This number of test images was left out because a training image shows the same part. */
  leftOut: number;
  table: Line[];
  /** This is the table as Markdown, as in `table.md`. */
  text: string;
}

/** An evaluation writes these files into its folder at the end. */
const FILES = {
  json: 'evaluation.json',
  markdown: 'table.md',
  csv: 'table.csv',
  report: 'report.html',
  misses: 'misses.jsonl',
  falseAlarms: 'false-alarms.jsonl',
};

type Checked = ReturnType<typeof checkEvaluate>;
const checkEvaluate = (options: EvaluateJobOptions) => checkOptions(evaluateSchema, options);

/** Refuses options of making pairs with a model where no recipe has one, because they would have no effect. */
function refuseUnread(options: EvaluateJobOptions, { recipes, ablations }: Checked): void {
  if ([...recipes, ...ablations].some((name) => name !== 'augment')) return;
  const [unread] = Object.keys(pickGiven(options, { ...baseOptions, trainSteps })).filter((name) => name !== 'device');
  if (unread === undefined) return;
  throw new InvalidOptionError(`Expected the recipe noise or place with ${unread}: name it, as in --recipes noise`);
}

/** Makes the pairs of the recipes and opens the evaluator on them. */
async function openEvaluator(options: Checked, dataset: Dataset, context: JobContext): Promise<Evaluator> {
  const { recipes, ablations, pairs, freshPairs } = options;
  const made = [...recipes, ...ablations];
  const open = (more: object) => Evaluator.open(dataset, { ...pickGiven(options, evaluatorOptions), ...more });
  if (made.length === 0) {
    if (freshPairs)
      throw new InvalidOptionError('Expected recipes with freshPairs: name them, as in --recipes augment');
    return open({});
  }
  const twice = made.find((name) => name in pairs);
  if (twice !== undefined) {
    throw new InvalidOptionError(`${twice} is a recipe whose pairs are made: give the folder another name`);
  }
  if (freshPairs && options.shots !== undefined) {
    throw new InvalidOptionError('Expected shots without freshPairs: each seed of each number has pairs of its own');
  }
  // Making pairs takes hours, so wrong data, options, weights or folders of pairs must fail before it.
  const kinds = options.detectors.map((name) => DETECTORS[name]);
  requireLearner(kinds);
  await backbonesOf(kinds, options, options.inceptionWeights === undefined);
  // The row none stands for those of the pairs, which there may be alone. A backbone may be for comparing them only.
  const isForDetectors = kinds.some(({ backbones }) => backbones.some((name) => name === options.backbone));
  const evaluator = await open({
    compare: [...options.compare, 'none'],
    ...(!isForDetectors && { backbone: undefined, backboneWeights: undefined }),
  });
  return open({ pairs: { ...pairs, ...(await makePairs(options, dataset, evaluator, context)) } });
}

/**
 * Trains detectors on real, generated and made-up defects and tests them on real images. Results of networks are kept
 * below `out`, so that a second call continues an interrupted evaluation.
 *
 * Throws ERR_DATASET_INVALID if images to train or test on are missing, ERR_INVALID_OPTION, and ERR_BUSY.
 */
export async function evaluate(options: EvaluateJobOptions, context: JobContext = {}): Promise<EvaluateResult> {
  const checked = checkEvaluate(options);
  refuseUnread(options, checked);
  const { signal, onEvent } = context;
  const out = resolve(checked.out);
  await using _lock = await lockFolder(out);
  await removePartialFiles(out, (name) => Object.values(FILES).includes(name));
  const evaluator = await openEvaluator(checked, await Dataset.open(checked.data), context);
  const { leftOut, synthetic, training } = evaluator.split;
  if (leftOut > 0) warnOf(`Test images left out because a training image shows the same part: ${leftOut}`, context);
  if (synthetic > 0) warnOf(`Generated images left out of the test, which needs real ones: ${synthetic}`, context);
  if (checked.classifier && training.size === 1)
    onEvent?.({ event: 'note', message: 'The data have one type, so that no classifier of types is trained' });
  const most = Math.max(...(checked.shots ?? [0]));
  for (const [type, examples] of training) {
    if (examples.length < most)
      warnOf(`${type} has ${examples.length} training images, fewer than ${most} shots`, context);
  }
  const evaluation = await evaluator.evaluate(out, {
    ...(signal && { signal }),
    onProgress: ({ row, detector, seed, shots, network, loss, done, doneBefore, total }) =>
      onEvent?.({
        ...{ event: 'progress', stage: 'evaluate', unit: 'steps', done, total, row, detector, seed, network },
        ...(doneBefore > 0 && { doneBefore }),
        ...(loss !== undefined && { loss }),
        ...(shots !== undefined && { shots }),
      }),
  });
  const hasNetwork = checked.inceptionWeights !== undefined || (await comparisonBackbone(checked)) !== undefined;
  if (!hasNetwork && evaluator.rows.some(({ generated }) => generated !== undefined)) {
    const reason = 'Generated images are not compared with real ones, because there are no weights of';
    const advice =
      checked.backbone === undefined
        ? `${USUAL_BACKBONE}: \`dualanodiff weights install ${USUAL_BACKBONE}\` installs them`
        : `${checked.backbone}: give a file of them with --backbone-weights`;
    onEvent?.({ event: 'note', message: `${reason} ${advice}` });
  }
  const table = tableOf(evaluation);
  const text = [
    markdownTable(table),
    ...worthMarkdown(table),
    ...thresholdMarkdown(evaluation),
    ...missMarkdown(evaluation),
    ...costMarkdown(evaluation),
    ...qualityTable(evaluation.quality),
  ].join('\n');
  const files = Object.fromEntries(
    Object.entries(FILES).map(([kind, name]) => [kind, join(out, name)]),
  ) as typeof FILES;
  await writeFileAtomic(files.json, `${JSON.stringify({ ...evaluation, table }, undefined, 2)}\n`);
  await writeFileAtomic(files.markdown, text);
  await writeFileAtomic(files.csv, csvTable(table));
  const { misses, falseAlarms } = mistakesOf(evaluator.split, evaluation, out);
  await writeFileAtomic(files.misses, jsonLines(misses));
  await writeFileAtomic(files.falseAlarms, jsonLines(falseAlarms));
  await writeEvaluationReport(files.report, evaluator, evaluation);
  return { out, files, leftOut, table, text };
}
