/** Runs the main job on one defect type: training, sampling, masks and report. */
import { join } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { readJsonLines } from '../core/json-files.js';
import { pathInside } from '../core/path-inside.js';
import { meanAgreement } from '../dataset/agreement.js';
import { Dataset } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { PAIR_LIST } from '../dataset/pair-list.js';
import { pairRecordSchema } from '../dataset/pair-record.js';
import type { KeepRule } from '../dataset/selection.js';
import type { TrainingImage } from '../dataset/training-region.js';
import { Adapter } from '../model/adapter.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { given } from '../options/check.js';
import type { TrainerOptions } from '../options/generated.js';
import type { RecipeName } from '../options/names.js';
import { placeOptions } from '../options/place.js';
import { openAugment } from '../recipes/augment.js';
import { type NoiseOptions, openNoise } from '../recipes/noise.js';
import { openPlace } from '../recipes/place.js';
import { type OpenRecipe, pickGiven } from '../recipes/recipe.js';
import { MOST_PAIRS } from '../report/pair-section.js';
import { openPictures, writeReport } from '../report/report.js';
import type { JobContext } from './job.js';
import { realDefects } from './real-defects.js';
import { type TrainedType, trainType } from './train-type.js';
import { type PairRun, type WrittenPairs, writePairs } from './write-pairs.js';

/** Holds all settings that decide the pairs of one type. */
export interface TypeSettings {
  recipe: RecipeName;
  count: number;
  training: Omit<TrainerOptions, 'types' | 'recipe'> & Required<Pick<TrainerOptions, 'fit' | 'seed' | 'trainImages'>>;
  trainSteps?: number | undefined;
  sampling: NoiseOptions;
  keepBest?: KeepRule | undefined;
  resume: boolean;
}

/** Holds the result of one type. */
export interface TypeResult {
  type: string;
  /** This HTML file shows the pairs, the training images and the loss. */
  report: string;
  /** This is the folder of the generated dataset. */
  dataset: string;
  /** This is absent if the recipe needs no adapter. */
  adapter?: string;
  /** This is the number of pairs in the dataset, without dropped ones. */
  pairs: number;
  emptyMasks: number;
  /** With several mask methods, this is the mean IoU of every two of them over the pairs. */
  agreement: Record<string, number>;
  /** This number of pairs was dropped by `keepBest`. */
  dropped: number;
  /** These are means over the first and the last tenth of the steps. They are null without training. */
  firstLoss: number | null;
  lastLoss: number | null;
  trainSeconds: number;
  sampleSeconds: number;
}

const mean = (values: number[]) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length);

/** Throws before the hours of training if the pairs need good images and the category has none. */
async function requireGoodImages(dataset: Dataset, { recipe, training }: TypeSettings): Promise<void> {
  const { background = 'off' } = training;
  if (recipe === 'noise' && background === 'off') return;
  if ((await dataset.goodImages()).length > 0) return;
  const why =
    recipe === 'noise'
      ? 'background compensation takes backgrounds from'
      : `the recipe ${recipe} ${recipe === 'place' ? 'draws defects into' : 'puts defects on'}`;
  throw new DatasetError(`${dataset.folder} has no good images, which ${why}: expected images in train/good`);
}

/** Throws before the hours of training if the folder holds pairs that the new ones cannot join. */
async function requireOwnPairs(folder: string, { recipe, resume }: TypeSettings): Promise<void> {
  const { lines } = await readJsonLines(join(folder, PAIR_LIST), pairRecordSchema);
  const [first] = lines;
  if (first === undefined) return;
  if (!resume)
    throw new DatasetError(`${folder} holds ${lines.length} generated pairs: resume, or choose another folder`);
  if (first.value.recipe !== recipe) {
    throw new DatasetError(`${folder} holds pairs of another recipe than ${recipe}: choose another folder`);
  }
}

interface TypeRun {
  dataset: Dataset;
  type: string;
  folder: string;
  settings: TypeSettings;
  context: JobContext;
}

/** Holds everything that is ready before the pairs of a type are made. */
interface Prepared extends AsyncDisposable {
  recipe: OpenRecipe;
  trained?: TrainedType;
  adapter?: string;
  examples: readonly TrainingImage[];
}

/**
 * Without background compensation, a folder of masks is only for the good photographs. Those of defects often have the
 * same names, so that they would get the wrong masks.
 */
function withOwnMasks(training: TypeSettings['training']): TypeSettings['training'] {
  const { background = 'off', foregroundMasks, ...rest } = training;
  return background === 'off' && foregroundMasks !== 'none' ? rest : training;
}

async function prepareTrained(
  model: DualAnoDiff,
  { dataset, type, folder, settings, context }: TypeRun,
): Promise<Prepared> {
  const { training, trainSteps: steps, resume } = settings;
  const adapter = join(folder, 'adapter.safetensors');
  const trained = await trainType(
    model,
    dataset,
    { ...withOwnMasks(training), types: [type], recipe: settings.recipe === 'place' ? 'place' : 'noise' },
    { out: adapter, steps, resume },
    context,
  );
  const { trainer } = trained;
  try {
    const recipe = await openTrained(model, adapter, type, settings, await dataset.goodImages());
    return {
      ...{ recipe, trained, adapter, examples: trainer.examples },
      [Symbol.asyncDispose]: async () => {
        await recipe[Symbol.asyncDispose]();
        await trainer.dispose();
      },
    };
  } catch (error) {
    await trainer.dispose();
    throw error;
  }
}

/** Opens the recipe that uses the adapter of a type. */
async function openTrained(
  model: DualAnoDiff,
  adapter: string,
  type: string,
  { recipe, sampling, count, training }: TypeSettings,
  goodImages: readonly ImageSource[],
): Promise<OpenRecipe> {
  if (recipe === 'noise') return openNoise(model, adapter, { ...sampling, count }, goodImages);
  const { foregroundMasks, foregroundWeights } = training;
  const settings = { ...pickGiven(sampling, placeOptions), ...given({ foregroundMasks, foregroundWeights }), type };
  await using loaded = await Adapter.load(adapter);
  return await openPlace(model, loaded, settings, goodImages);
}

async function prepareAugment({ dataset, type, settings }: TypeRun): Promise<Prepared> {
  const { resolution, fit, seed, trainImages, window } = settings.training;
  const examples = await dataset.trainingExamples(type, trainImages);
  const squares = { resolution, fit, ...(typeof window === 'number' && { window }) };
  const recipe = await openAugment(type, examples, await dataset.goodImages(), { ...squares, seed });
  const shown = await Dataset.load(examples, REPORT_RESOLUTION, fit);
  return { recipe, examples: shown, [Symbol.asyncDispose]: () => recipe[Symbol.asyncDispose]() };
}

/** The report of a type without training shows its images with this number of pixels along each side. */
const REPORT_RESOLUTION = 128;

function settingsForReport(model: DualAnoDiff | undefined, { recipe, trained }: Prepared): Record<string, unknown> {
  const { settings } = recipe.source;
  const training = trained?.trainer.settings;
  const prompts = trained?.trainer.prompts.map(({ global, anomaly }) => `${global} / ${anomaly}`);
  return {
    recipe: recipe.source.recipe,
    ...(model && { 'base model': model.folder, device: model.info.device, precision: model.info.dtype }),
    ...(training && {
      'training steps': trained.losses.length,
      'batch size': training.batchSize,
      'learning rate': training.learningRate,
      rank: training.rank,
      prompts: prompts?.join(', '),
      window: training.window === 'off' ? 'off' : `${training.window} pixels`,
      'part fill': training.partFill,
    }),
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
  };
}

/** Tells how much of a photograph a pair shows. */
function shownBy({ recipe, training }: TypeSettings, { trained }: Prepared) {
  const window = trained ? trained.trainer.settings.window : training.window;
  return { recipe, trainImages: training.trainImages, window: typeof window === 'number' ? window : undefined };
}

function describeType(prepared: Prepared, written: WrittenPairs, report: string, type: string): TypeResult {
  const { trained, adapter } = prepared;
  const losses = trained?.losses.map(({ loss }) => loss) ?? [];
  const tenth = Math.max(1, Math.floor(losses.length / 10));
  return {
    ...{ type, report, ...given({ adapter }) },
    dataset: written.writer.folder,
    pairs: written.writer.kept.length,
    emptyMasks: written.emptyMasks,
    agreement: meanAgreement(written.writer.records),
    dropped: written.dropped,
    firstLoss: mean(losses.slice(0, tenth)),
    lastLoss: mean(losses.slice(-tenth)),
    trainSeconds: trained?.seconds ?? 0,
    sampleSeconds: written.seconds,
  };
}

/**
 * Makes the pairs of one type, with all files below `<out>/<type>`: the adapter, `dataset/` and `report.html`. `model`
 * is undefined for recipes that need no model.
 */
export async function runType(
  model: DualAnoDiff | undefined,
  dataset: Dataset,
  type: string,
  out: string,
  settings: TypeSettings,
  context: JobContext,
): Promise<TypeResult> {
  const folder = pathInside(out, type);
  await requireOwnPairs(join(folder, 'dataset'), settings);
  await requireGoodImages(dataset, settings);
  const run: TypeRun = { dataset, type, folder, settings, context };
  await using prepared = await (model ? prepareTrained(model, run) : prepareAugment(run));
  const { count, keepBest, resume } = settings;
  const [pairFolder, report] = [join(folder, 'dataset'), join(folder, 'report.html')];
  const pictures = openPictures(report, pairFolder);
  // A report shows only some of very many pairs, and no dropped ones. They are chosen when all pairs are known.
  const isEachShown = count <= MOST_PAIRS && !keepBest;
  const keep: PairRun['onWritten'] = (record, pair, files) => pictures.pairs.keep(record, pair, files);
  const pairRun = { out: pairFolder, count, keepBest, resume, ...(isEachShown && { onWritten: keep }) };
  const written = await writePairs(prepared.recipe, pairRun, context);
  const input = {
    title: `${dataset.category}: ${type}`,
    examples: prepared.examples,
    real: await realDefects(dataset, type, prepared.examples, shownBy(settings, prepared)),
    losses: prepared.trained?.losses ?? [],
    writer: written.writer,
    settings: settingsForReport(model, prepared),
    times: {
      ...(prepared.trained && { training: prepared.trained.seconds }),
      'pairs, masks and their pictures': written.seconds,
    },
  };
  await writeReport(report, input, pictures);
  return describeType(prepared, written, report, type);
}
