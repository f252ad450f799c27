/** Fits a detector on images that are chosen outside of an evaluation. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { NativeDetector } from '../addon-types.js';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import type { detectorSchema } from '../options/detect.js';
import type { DefectSource, DetectorName } from '../options/names.js';
import { runNative, type TaskOptions } from '../run-native.js';
import { backbonesOf } from './backbone.js';
import { defectSourceOf, takesDefects } from './defect-source.js';
import { runFit } from './fit.js';
import { DETECTORS, flipsDefects, requireSides, VIEWS } from './kinds.js';
import type { View } from './scored.js';
import { loadTextures } from './textures.js';
import { disposeOf, loadTrainingSet } from './training-set.js';

/** The images that a detector is fitted on. Defects are listed by type. */
export interface DetectorData {
  good: readonly ImageSource[];
  real?: ReadonlyMap<string, readonly Example[]> | undefined;
  /** Generated pairs. Those with an empty mask are left out. */
  generated?: ReadonlyMap<string, readonly Example[]> | undefined;
}

type Settings = z.output<typeof detectorSchema>;

export interface FittedDetector {
  handle: NativeDetector;
  view: View;
  /** The name of its backbone. It is undefined if it has none. */
  backbone: string | undefined;
}

/** Returns the good images of a dataset, and all of its defects. */
export async function dataOf(dataset: Dataset): Promise<DetectorData> {
  const real = new Map<string, Example[]>();
  for (const type of dataset.types) real.set(type, await dataset.examples(type));
  return { good: await dataset.goodImages('train'), real };
}

const countOf = (examples: DetectorData['real']): number =>
  [...(examples?.values() ?? [])].reduce((sum, list) => sum + list.length, 0);

/** Throws ERR_DATASET_INVALID if images are missing that the detector learns from. */
function requireImages(name: string, { good, real, generated }: DetectorData, source: DefectSource): void {
  if (good.length === 0) throw new DatasetError(`There are no good images to fit ${name} on: add some to train/good`);
  if (takesDefects(source) && countOf(real) + countOf(generated) === 0) {
    throw new DatasetError(`${name} learns from defects, but there are no images of defects`);
  }
}

/** Returns what a detector sees. Throws ERR_INVALID_OPTION for `resolution` with `tile`. */
export function viewOf({ protocol, resolution, tile }: Pick<Settings, 'protocol' | 'resolution' | 'tile'>): View {
  if (resolution !== undefined && tile !== undefined) {
    throw new InvalidOptionError('Expected one of resolution and tile: a detector of tiles sees tile x tile pixels');
  }
  return { resolution: tile ?? resolution ?? VIEWS[protocol].resolution, tiles: tile !== undefined };
}

/** Fits a detector to its end. The caller must dispose of it, and remove its checkpoint. */
export async function fitDetector(
  name: DetectorName,
  data: DetectorData,
  settings: Settings,
  {
    checkpoint,
    signal,
    onStep,
  }: TaskOptions & {
    checkpoint?: { file: string; every: number };
    onStep: (step: number, steps: number, loss: number) => void;
  },
): Promise<FittedDetector> {
  const kind = DETECTORS[name];
  const source = defectSourceOf(kind, settings.defects, data.generated !== undefined);
  requireImages(name, data, source);
  if (settings.textures !== undefined && source !== 'draem') {
    throw new InvalidOptionError(`Expected the defects draem with textures but received ${source}`);
  }
  if (!kind.isTrained && (settings.iterations !== undefined || settings.learningRate !== undefined)) {
    throw new InvalidOptionError(`Expected neither iterations nor learningRate with ${name}, which is not trained`);
  }
  const view = viewOf(settings);
  requireSides([kind], view.resolution);
  const backbone = (await backbonesOf([kind], settings)).get(name);
  const { flips } = VIEWS[settings.protocol];
  const options = {
    ...kind.settings[settings.protocol],
    ...(settings.iterations !== undefined && { iterations: settings.iterations }),
    ...(settings.learningRate !== undefined && { learningRate: settings.learningRate }),
    ...{
      flips,
      flipDefects: flipsDefects(flips, data.generated !== undefined),
      seed: settings.seed,
      source,
      device: settings.device,
      detector: name,
    },
    ...{ backbone: backbone?.name ?? '', backboneFile: backbone?.file ?? '' },
  };
  const { real, generated } = takesDefects(source) ? data : {};
  const types = [...new Set([...(real?.keys() ?? []), ...(generated?.keys() ?? [])])].sort();
  const textures =
    settings.textures === undefined ? undefined : await loadTextures(resolve(settings.textures), view.resolution);
  try {
    const set = await loadTrainingSet(types, { real, generated }, data.good, view);
    try {
      const { handle: defects, groups, types: typesOf } = set.defects;
      const handle = await runNative({ signal }, (engine, task) =>
        engine.createDetector(options, set.good.handle, defects, groups, typesOf, textures?.handle, task),
      );
      try {
        const pools = [set.good, set.defects, textures].map((pool) => pool?.digest);
        const inputs = { options: { ...options, backboneFile: backbone?.digest, device: '' }, view, pools };
        const digest = createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
        const steps = handle.steps();
        await runFit(handle, {
          ...{ signal, torchThread: 0, steps, keepsEnd: true },
          checkpoint: checkpoint && { ...checkpoint, digest },
          onStep: (step, loss) => onStep(step, steps, loss),
        });
        return { handle, view, backbone: backbone?.name };
      } catch (error) {
        handle.dispose();
        throw error;
      }
    } finally {
      disposeOf(set);
    }
  } finally {
    textures?.dispose();
  }
}
