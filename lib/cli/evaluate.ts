import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Dataset } from '../dataset/dataset.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { csvTable, markdownTable, tableOf } from '../evaluate/table.js';
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
  resolution?: number;
  checkpointEvery: number;
  device: string;
}

/** `NAME=DIR`, or `DIR` alone, which is called `generated`. */
function collectGenerated(text: string, sets: Record<string, string> = {}): Record<string, string> {
  const [, name = 'generated', folder = text] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name in sets) throw new InvalidArgumentError(`${name} is given twice: name the folders, as in NAME=DIR.`);
  return { ...sets, [name]: folder };
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
    .option('--resolution <n>', "pixels along each side (default: the protocol's)", number)
    .option('--checkpoint-every <n>', 'steps between checkpoints', number, 500)
    .option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto');
  runner.attach(command, async ({ data, out, ...flags }: Flags, { signal, io }) => {
    const folder = resolve(out);
    const evaluator = await Evaluator.open(await Dataset.open(data), given(flags) as never);
    const { rows, protocol } = evaluator;
    const bar = io.progress('evaluating', rows.length * flags.seeds * protocol.iterations, 'steps');
    const evaluation = await evaluator
      .evaluate(folder, {
        signal,
        onProgress: ({ row, seed, loss, done }) =>
          bar.update(done, `${row} seed ${seed} ${loss === undefined ? 'is there' : `loss ${loss.toFixed(4)}`}`),
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
    await writeFileAtomic(files.markdown, markdownTable(lines));
    await writeFileAtomic(files.csv, csvTable(lines));
    await writeEvaluationReport(files.report, evaluator, evaluation, folder);
    io.result(`${markdownTable(lines)}\nreport: ${files.report}`, { out: folder, files, table: lines });
  });
}
