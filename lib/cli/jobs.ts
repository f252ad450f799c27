/**
 * Declares the commands that run jobs. Each takes the job's options and describes the result to people. The jobs check
 * the options themselves, so that commands pass them on unchecked. A job is imported when it runs, because that takes
 * most of the time of a start.
 */
import { embedded } from '../core/paths.js';
import type { CampaignResult } from '../jobs/campaign.js';
import { nameOfFailure } from '../jobs/failure.js';
import type { TypeResult } from '../jobs/run-type.js';
import { checkOptions } from '../options/check.js';
import { detectOptions, fitOptions } from '../options/detect.js';
import {
  campaignOptions,
  demoOptions,
  demoSchema,
  evaluateOptions,
  generateOptions,
  importOptions,
  learnOptions,
  maskJobOptions,
  placeJobOptions,
} from '../options/jobs.js';
import type { CommandSpec } from './command.js';
import { dataCommands } from './data.js';
import type { Outcome } from './runner.js';

function describeType({ adapter, agreement, ...result }: TypeResult, name: string): string {
  const ious = Object.entries(agreement).map(([methods, iou]) => `, IoU ${methods} ${iou.toFixed(2)}`);
  const loss = (value: number | null) => value?.toFixed(4) ?? '-';
  const training =
    adapter === undefined
      ? ''
      : `loss ${loss(result.firstLoss)} -> ${loss(result.lastLoss)} in ${result.trainSeconds.toFixed(0)} s; `;
  return [
    `${name}: ${training}${result.pairs} pairs in ${result.sampleSeconds.toFixed(0)} s, ${result.emptyMasks} empty masks${ious.join('')}, ${result.dropped} dropped`,
    `  dataset: ${result.dataset}`,
    `  report:  ${result.report}`,
  ].join('\n');
}

function describeCampaign(result: CampaignResult): Outcome {
  const { types } = result;
  const isOne = new Set([...types, ...result.failures].map(({ category }) => category)).size === 1;
  const failed = result.failures.map((failure) => `${nameOfFailure(failure)} failed: ${failure.message}`);
  return {
    text: [...types.map((one) => describeType(one, isOne ? one.type : `${one.category} ${one.type}`)), ...failed].join(
      '\n',
    ),
    value: result,
    hasFailed: failed.length > 0,
  };
}

const train: CommandSpec = {
  name: 'train',
  description: 'Train an adapter on one or several defect types from a few images.',
  options: learnOptions,
  computes: true,
  async run(options, context) {
    const { learn } = await import('../jobs/learn.js');
    const result = await learn(options as never, context);
    const { adapter, steps, skippedSteps, seconds } = result;
    const skipped = skippedSteps > 0 ? `, ${skippedSteps} of ${steps} steps skipped because of float16 overflow` : '';
    return { text: `wrote ${adapter} in ${seconds.toFixed(1)} s${skipped}`, value: result };
  },
};

const sample: CommandSpec = {
  name: 'sample',
  description: 'Sample pairs and their masks from an adapter.',
  options: generateOptions,
  computes: true,
  async run(options, context) {
    const { generate } = await import('../jobs/generate.js');
    const result = await generate(options as never, context);
    const { out, pairs, emptyMasks, dropped, seconds } = result;
    const text = `${pairs} pairs in ${out}, ${emptyMasks} with an empty mask, ${dropped} dropped, in ${seconds.toFixed(1)} s`;
    return { text, value: result };
  },
};

const placeDefects: CommandSpec = {
  name: 'place',
  description: 'Draw defects of an adapter into good photographs.',
  options: placeJobOptions,
  computes: true,
  async run(options, context) {
    const { place } = await import('../jobs/place.js');
    const result = await place(options as never, context);
    const { out, pairs, failed, seconds } = result;
    return { text: `${pairs} pairs in ${out}, ${failed} left out, in ${seconds.toFixed(1)} s`, value: result };
  },
};

const makeMasks: CommandSpec = {
  name: 'mask',
  description: 'Make masks of anomaly parts.',
  options: maskJobOptions,
  computes: true,
  async run(options, context) {
    const { mask } = await import('../jobs/mask.js');
    const result = await mask(options as never, context);
    return { text: `${result.masks} masks in ${result.out}, ${result.emptyMasks} empty`, value: result };
  },
};

const run: CommandSpec = {
  name: 'run',
  description:
    'Make pairs with masks and a report, for one defect type, for all types of a category, or for all categories.',
  options: campaignOptions,
  computes: true,
  async run(options, context) {
    const { campaign } = await import('../jobs/campaign.js');
    return describeCampaign(await campaign(options as never, context));
  },
};

const fitDetector: CommandSpec = {
  name: 'fit',
  description: 'Fit a detector on good images, and on defects if it learns from them.',
  options: fitOptions,
  computes: true,
  async run(options, context) {
    const job = await import('../jobs/fit.js');
    const result = await job.fit(options as never, context);
    const { out, detector, thresholds, chosenOn, seconds } = result;
    const threshold = `threshold of images ${thresholds.image.toPrecision(4)}, chosen on ${chosenOn}`;
    return { text: `wrote the detector ${detector} to ${out} in ${seconds.toFixed(1)} s; ${threshold}`, value: result };
  },
};

const detectDefects: CommandSpec = {
  name: 'detect',
  description: 'Score images with a fitted detector.',
  options: detectOptions,
  computes: true,
  async run(options, context) {
    const { detect } = await import('../jobs/detect.js');
    const result = await detect(options as never, context);
    const { images, out, scores, defects } = result;
    const found = defects === undefined ? '' : `, ${defects} with a defect`;
    return { text: `${images} maps in ${out}${found}, scores in ${scores}`, value: result };
  },
};

const evaluatePairs: CommandSpec = {
  name: 'evaluate',
  description: 'Train detectors on real, generated and made-up defects, and test them on real images.',
  options: evaluateOptions,
  computes: true,
  async run(options, context) {
    const { evaluate } = await import('../jobs/evaluate.js');
    const { text, ...value } = await evaluate(options as never, context);
    return { text: `${text}\nreport: ${value.files.report}`, value };
  },
};

const importPhotographs: CommandSpec = {
  name: 'import',
  description: 'Turn annotations of COCO, labelme, YOLO and others into a category folder.',
  options: importOptions,
  computes: true,
  async run(options, context) {
    const { importData } = await import('../jobs/import.js');
    const result = await importData(options as never, context);
    const types = Object.entries(result.types).map(([type, count]) => `${count} of ${type}`);
    const good = `${result.good} good, ${result.testGood} good for tests`;
    const generated = result.synthetic === undefined ? '' : `, ${result.synthetic} of all generated`;
    const text = `${result.out}: ${types.join(', ')}, ${good}${generated} (read as ${result.format})`;
    return { text, value: result };
  },
};

/** The embedded example set has this type. */
const DEMO_TYPE = 'stain';

const demo: CommandSpec = {
  name: 'demo',
  description: 'Run the main job on the embedded example set, with the embedded models and the defaults of run.',
  options: demoOptions,
  computes: true,
  async run(options, context) {
    const { out } = checkOptions(demoSchema, options);
    const { example: data } = embedded;
    const { campaign } = await import('../jobs/campaign.js');
    context.say(`Learning "${DEMO_TYPE}" from the images in ${data}`);
    return describeCampaign(await campaign({ data, type: DEMO_TYPE, recipe: 'place', out, resume: true }, context));
  },
};

export const jobCommands = [
  ...[train, sample, placeDefects, makeMasks, run, evaluatePairs],
  ...[fitDetector, detectDefects],
  ...[importPhotographs, ...dataCommands, demo],
];
