import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Dataset } from '../dataset/dataset.js';
import { InvalidOptionError } from '../errors.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { csvTable, markdownTable, qualityTable, tableOf } from '../evaluate/table.js';
import { writeFileAtomic } from '../files.js';
import { given } from '../options/check.js';
import { baselines, protocols } from '../options/schemas.js';
import { writeEvaluationReport } from '../report/evaluation-report.js';
import { number } from './options.js';
import type { Runner } from './runner.js';

interface Flags {
  data: string;
  testData?: string;
  generated?: Record<string, string>;
  out: string;
  compare: (typeof baselines)[number][];
  withReal: boolean;
  seeds: number;
  seed: number;
  protocol: (typeof protocols)[number];
  trainImages?: string;
  textures?: string;
  iterations?: number;
  classifier: boolean;
  classifierIterations?: number;
  classifierWeights?: string;
  resolution?: number;
  inception?: string;
  lpipsBackbone?: string;
  lpipsLinear?: string;
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

function parseBaselines(text: string): string[] {
  const names = text === '' ? [] : text.split(',');
  const unknown = names.find((name) => !(baselines as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`Expected some of ${baselines.join(', ')}.`);
  return names;
}

export function addEvaluate(program: Command, runner: Runner): void {
  const command = program
    .command('evaluate')
    .description('train detectors on real, generated and made-up defects, and test them on real images')
    .requiredOption('--data <dir>', "category folder in MVTec AD's layout")
    .requiredOption('--out <dir>', 'folder for the results')
    .option('--test-data <dir>', 'category folder to test on (default: what of --data does not train)')
    .option('--generated <[name=]dir>', 'pairs of `sample` or `run`; may be given again', collectGenerated)
    .option('--no-with-real', 'no rows of generated and real pairs together')
    .option('--compare <names>', 'baselines, separated by commas', parseBaselines, [...baselines])
    .option('--seeds <n>', 'runs of each row', number, 3)
    .option('--seed <n>', 'the first of them', number, 0)
    .addOption(new Option('--protocol <name>', 'size of the detector').choices(protocols).default('small'))
    .option('--train-images <n>', 'real images that train: N or a/b (default: 1/3; all of them with --test-data)')
    .option('--textures <dir>', 'images for the textures of draem (default: noise and good images)')
    .option('--iterations <n>', "training steps of a detector (default: the protocol's)", number)
    .option('--no-classifier', 'train no classifiers of the types')
    .option('--classifier-iterations <n>', "training steps of a classifier (default: the protocol's)", number)
    .option('--classifier-weights <file>', "torchvision's ResNet-18 to start from (default: fresh weights)")
    .option('--inception <file>', "torchvision's Inception v3, for the Inception Score of generated pairs")
    .option('--lpips-backbone <file>', "torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, for their IC-LPIPS")
    .option('--lpips-linear <file>', "LPIPS's own layers for that network")
    .option('--resolution <n>', "pixels along each side (default: the protocol's)", number)
    .option('--checkpoint-every <n>', 'steps between checkpoints', number, 500)
    .option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto');
  runner.attach(command, async ({ data, out, ...flags }: Flags, { signal, io }) => {
    const folder = resolve(out);
    const { inception: inceptionWeights, lpipsBackbone: _, lpipsLinear: __, ...options } = flags;
    const chosen = given({ ...options, inceptionWeights, lpipsWeights: lpipsWeights(flags) });
    const evaluator = await Evaluator.open(await Dataset.open(data), chosen as never);
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
      json: join(folder, 'evaluation.json'),
      markdown: join(folder, 'table.md'),
      csv: join(folder, 'table.csv'),
      report: join(folder, 'report.html'),
    };
    await writeFileAtomic(files.json, `${JSON.stringify({ ...evaluation, table: lines }, undefined, 2)}\n`);
    const tables = [markdownTable(lines), ...qualityTable(evaluation.quality)].join('\n');
    await writeFileAtomic(files.markdown, tables);
    await writeFileAtomic(files.csv, csvTable(lines));
    await writeEvaluationReport(files.report, evaluator, evaluation, folder);
    io.result(`${tables}\nreport: ${files.report}`, { out: folder, files, table: lines });
  });
}
