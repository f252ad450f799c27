import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { csvTable, markdownTable, qualityTable, tableOf } from '../evaluate/table.js';
import { baselines, evaluatorSchema, protocols } from '../options/schemas.js';
import { writeEvaluationReport } from '../report/evaluation-report.js';
import { addBaseOptions, type BaseFlags, loadBase } from './base.js';
import { number, pickOptions } from './options.js';
import { generate, type RecipeName, recipeFolder, recipeNames } from './recipes.js';
import type { Context, Runner } from './runner.js';

interface Flags extends BaseFlags {
  data: string;
  testData?: string;
  generated?: Record<string, string>;
  generate: RecipeName[];
  pairs: number;
  pairsSeed: number;
  freshPairs: boolean;
  trainSteps?: number;
  out: string;
  compare: (typeof baselines)[number][];
  withReal: boolean;
  seeds: number;
  seed: number;
  protocol: (typeof protocols)[number];
  trainImages?: string;
  textures?: string;
  iterations?: number;
  learningRate?: number;
  classifier: boolean;
  classifierIterations?: number;
  classifierWeights?: string;
  resolution?: number;
  inception?: string;
  lpipsBackbone?: string;
  lpipsLinear?: string;
  jobs?: number;
  checkpointEvery: number;
  device: string;
}

/** `NAME=DIR`, or `DIR` alone, which is called `generated`. */
function collectGenerated(text: string, sets: Record<string, string> = {}): Record<string, string> {
  const [, name = 'generated', folder = text] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name in sets) throw new InvalidArgumentError(`${name} is given twice: name the folders, as in NAME=DIR.`);
  return { ...sets, [name]: folder };
}

/** Both of LPIPS's files, or neither. */
function lpipsWeights({ lpipsBackbone: backbone, lpipsLinear: linear }: Pick<Flags, 'lpipsBackbone' | 'lpipsLinear'>) {
  if (backbone === undefined && linear === undefined) return undefined;
  if (backbone === undefined || linear === undefined) {
    throw new InvalidOptionError('IC-LPIPS needs both --lpips-backbone and --lpips-linear');
  }
  return { backbone, linear };
}

/** Names of a list, separated by commas. */
const someOf = (all: readonly string[]) => (text: string) => {
  const names = text === '' ? [] : [...new Set(text.split(','))];
  if (names.some((name) => !all.includes(name))) throw new InvalidArgumentError(`Expected some of ${all.join(', ')}.`);
  return names;
};

/** Makes the pairs of the recipes, and says where they are. */
async function generateAll(
  flags: Flags,
  dataset: Dataset,
  { split, protocol }: Evaluator,
  context: Context,
): Promise<Record<string, string[]>> {
  const { generate: recipes, pairs: count, pairsSeed: seed, trainSteps, device } = flags;
  const learners = flags.freshPairs ? Array.from({ length: flags.seeds }, (_, i) => flags.seed + i) : [undefined];
  const folders: Record<string, string[]> = {};
  await using model = await loadBase(flags, context);
  for (const name of recipes) {
    const sets: string[] = [];
    folders[name] = sets;
    const recipe = { name, count, trainSteps, seed, side: protocol.resolution, device };
    for (const learner of learners) {
      const folder = recipeFolder(resolve(flags.out), name, learner);
      await generate(model, dataset, split, { ...recipe, set: learner ?? 0 }, folder, context);
      sets.push(folder);
    }
  }
  return folders;
}

/** The evaluator of what the flags name, once the recipes' pairs are there. */
async function openEvaluator(flags: Flags, context: Context): Promise<Evaluator> {
  const { generate: recipes, generated = {} } = flags;
  const dataset = await Dataset.open(flags.data);
  const weights = { inceptionWeights: flags.inception, lpipsWeights: lpipsWeights(flags) };
  const open = (more: object) =>
    Evaluator.open(dataset, pickOptions({ ...flags, ...weights, ...more }, evaluatorSchema));
  if (recipes.length === 0) {
    if (flags.freshPairs)
      throw new InvalidOptionError('Expected recipes with freshPairs: name them, as in --generate mixed');
    return open({ generated });
  }
  const twice = recipes.find((name) => name in generated);
  if (twice !== undefined)
    throw new InvalidOptionError(`${twice} is a recipe to generate: give the folder another name`);
  const first = await open({ generated, compare: ['none'] }); // what is wrong is said before the hours of generating
  return open({ generated: { ...generated, ...(await generateAll(flags, dataset, first, context)) } });
}

/** What an evaluation writes into its folder at the end. */
const FILES = { json: 'evaluation.json', markdown: 'table.md', csv: 'table.csv', report: 'report.html' };

export function addEvaluate(program: Command, runner: Runner): void {
  const command = program
    .command('evaluate')
    .description('train detectors on real, generated and made-up defects, and test them on real images')
    .requiredOption('--data <dir>', "category folder in MVTec AD's layout")
    .requiredOption('--out <dir>', 'folder for the results')
    .option('--test-data <dir>', 'category folder to test on (default: what of --data does not train)')
    .option('--generated <[name=]dir>', 'pairs of `sample` or `run`; may be given again', collectGenerated)
    .option('--generate <names>', `pairs to make and judge: ${recipeNames.join(', ')}`, someOf(recipeNames), [])
    .option('--pairs <n>', 'pairs of each type that are made', number, 150)
    .option(
      '--pairs-seed <n>',
      'seed of those pairs and their adapters for the first type; each further type adds 1',
      number,
      0,
    )
    .option('--fresh-pairs', 'make other pairs for each seed, so that the deviation is of pairs, too', false)
    .option('--train-steps <n>', "training steps of their adapters (default: the recipe's)", number)
    .option('--no-with-real', 'no rows of generated and real pairs together')
    .option('--compare <names>', 'baselines, separated by commas', someOf(baselines), [...baselines])
    .option('--seeds <n>', 'runs of each row', number, 3)
    .option('--seed <n>', 'seed of the first run', number, 0)
    .addOption(new Option('--protocol <name>', 'size of the detector').choices(protocols).default('small'))
    .option(
      '--train-images <n>',
      'real images that train: N, a/b or a/b@k (default: 1/3; all of them with --test-data)',
    )
    .option('--textures <dir>', 'images for the textures of draem (default: noise and good images)')
    .option('--iterations <n>', "training steps of a detector (default: the protocol's)", number)
    .option('--learning-rate <x>', "learning rate of a detector (default: the protocol's)", number)
    .option('--no-classifier', 'train no classifiers of the types')
    .option('--classifier-iterations <n>', "training steps of a classifier (default: the protocol's)", number)
    .option('--classifier-weights <file>', "torchvision's ResNet-18 to start from (default: fresh weights)")
    .option('--inception <file>', "torchvision's Inception v3, for the Inception Score of generated pairs")
    .option('--lpips-backbone <file>', "torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, for their IC-LPIPS")
    .option('--lpips-linear <file>', "LPIPS's own layers for that network")
    .option('--resolution <n>', "pixels along each side (default: the protocol's)", number)
    .option(
      '--jobs <n>',
      'runs at a time, which share the cores (default: with small on a CPU, as many as there are cores, at most 8)',
      number,
    )
    .option('--checkpoint-every <n>', 'steps between checkpoints', number, 500);
  addBaseOptions(command);
  runner.attach(command, async (flags: Flags, context) => {
    const { signal, io } = context;
    const folder = resolve(flags.out);
    await using _lock = await lockFolder(folder);
    await removePartialFiles(folder, (name) => Object.values(FILES).includes(name));
    const evaluator = await openEvaluator(flags, context);
    const { leftOut } = evaluator.split;
    if (leftOut > 0) io.warn(`Images left out of the test because they have the pixels of one that trains: ${leftOut}`);
    const bar = io.progress('evaluating', evaluator.steps, 'steps');
    const evaluation = await evaluator
      .evaluate(folder, {
        signal,
        onProgress: ({ row, seed, network, loss, done }) =>
          bar.update(
            done,
            `${row} seed ${seed} ${network} ${loss === undefined ? 'is there' : `loss ${loss.toFixed(4)}`}`,
          ),
      })
      .finally(() => bar.stop());
    const lines = tableOf(evaluation);
    const files = {
      json: join(folder, FILES.json),
      markdown: join(folder, FILES.markdown),
      csv: join(folder, FILES.csv),
      report: join(folder, FILES.report),
    };
    await writeFileAtomic(files.json, `${JSON.stringify({ ...evaluation, table: lines }, undefined, 2)}\n`);
    const tables = [markdownTable(lines), ...qualityTable(evaluation.quality)].join('\n');
    await writeFileAtomic(files.markdown, tables);
    await writeFileAtomic(files.csv, csvTable(lines));
    await writeEvaluationReport(files.report, evaluator, evaluation, folder);
    io.result(`${tables}\nreport: ${files.report}`, { out: folder, files, leftOut, table: lines });
  });
}
