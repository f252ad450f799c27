/** Covers which detectors are evaluated in which rows. */
import { describe, expect, it, vi } from 'vitest';
import { type BackboneOptions, backbonesOf } from '../../lib/detect/backbone.js';
import { DETECTORS, type DetectorKind, requireSides, VIEWS } from '../../lib/detect/kinds.js';
import { planRuns } from '../../lib/evaluate/planned-runs.js';
import { makeRows } from '../../lib/evaluate/rows.js';
import type { Split } from '../../lib/evaluate/split.js';
import { refuseUnread } from '../../lib/evaluate/unread-options.js';
import { checkOptions } from '../../lib/options/check.js';
import { evaluatorSchema } from '../../lib/options/evaluation.js';
import { detectors } from '../../lib/options/names.js';

/** A detector that learns from other images than the U-Net does. */
const kind = (name: string, learnsFrom: DetectorKind['learnsFrom']): DetectorKind => ({
  ...DETECTORS.unet,
  ...({ name, learnsFrom } as Pick<DetectorKind, 'name' | 'learnsFrom'>),
});
const [memory, either] = [kind('memory', 'good'), kind('either', 'either')];
const settings = { compare: ['none', 'draem'] as const, pairs: {}, withReal: true, seeds: 2 };

async function planned(kinds: DetectorKind[], shots?: number[], types = ['crack', 'dent']) {
  const rows = await makeRows(settings, kinds, types);
  const split = { training: new Map(types.map((type) => [type, []])), groups: new Map() } as unknown as Split;
  return planRuns(rows, split, { detectors: kinds, classifier: true, seeds: 2, seed: 0, shots });
}

describe('the rows of detectors', () => {
  it('are those that the detector can learn from, and good images alone once for each seed', async () => {
    const runs = await planned([DETECTORS.unet, memory, either]);
    expect(runs.filter(({ seed }) => seed === 1).map(({ row, detector }) => [row.name, detector.name])).toEqual([
      ['good only', 'memory'],
      ['good only', 'either'],
      ['none', 'unet'],
      ['none', 'either'],
      ['draem', 'unet'],
    ]);
    expect(runs).toHaveLength(10);
  });

  it('share their images between detectors, and train the classifier once', async () => {
    const runs = await planned([either, DETECTORS.unet]);
    const first = runs.filter(({ row, seed }) => row.name === 'none' && seed === 0);
    expect(first.map(({ detector, classifies }) => [detector.name, classifies])).toEqual([
      ['either', true],
      ['unet', false],
    ]);
    expect(new Set(first.map(({ key }) => key)).size).toBe(1);
    const withoutTypes = runs.filter(({ row }) => row.name !== 'none');
    expect(withoutTypes.some(({ classifies }) => classifies)).toBe(false);
    const ofOneType = await planned([either, DETECTORS.unet], undefined, ['crack']);
    expect(ofOneType.map(({ classifies }) => classifies)).toEqual(runs.map(() => false));
  });

  it('have good images alone for the first number of shots only', async () => {
    const runs = await planned([memory, either], [1, 4]);
    expect(
      runs.filter(({ seed }) => seed === 0).map(({ row, detector, shots }) => [row.name, detector.name, shots]),
    ).toEqual([
      ['good only', 'memory', 1],
      ['good only', 'either', 1],
      ['none', 'either', 1],
      ['none', 'either', 4],
    ]);
  });

  it('of the U-Net alone are those that there were before', async () => {
    const rows = await makeRows(settings, [DETECTORS.unet], ['crack']);
    expect(rows.map(({ name }) => name)).toEqual(['none', 'draem']);
  });

  it('are refused where no detector learns from the pairs that are given', async () => {
    const pairs = { ours: 'somewhere' };
    await expect(makeRows({ ...settings, pairs }, [memory], ['crack'])).rejects.toThrow(
      'Expected a detector that learns from pairs but received memory',
    );
  });
});

it('generated pairs may have the name of a method that every object has', async () => {
  const pairs = { constructor: '/nowhere/pairs' };
  await expect(makeRows({ ...settings, pairs }, [either], ['crack'])).rejects.toThrow('/nowhere/pairs');
});

describe('options that no detector reads', () => {
  const refused = async (
    options: Parameters<typeof refuseUnread>[0],
    kinds: DetectorKind[],
    compare: 'none' | 'draem',
  ) => refuseUnread(options, kinds, await makeRows({ ...settings, compare: [compare] }, kinds, ['crack']));
  const { unet, patchcore, draem } = DETECTORS;

  it('are those of training if none is trained', async () => {
    for (const [name, value] of [
      ['iterations', 5000],
      ['learningRate', 0.1],
    ] as const) {
      const message = `Expected a detector that is trained with ${name} but received patchcore`;
      await expect(refused({ [name]: value }, [patchcore], 'none')).rejects.toThrow(message);
      await refused({ [name]: value }, [patchcore, unet], 'none');
    }
  });

  it('are textures if no row and no detector makes up defects with them', async () => {
    const message = 'Expected the row or the detector draem with textures but received the detectors patchcore, unet';
    await expect(refused({ textures: 'dir' }, [patchcore, unet], 'none')).rejects.toThrow(message);
    await expect(refused({ textures: 'dir' }, [patchcore], 'draem')).rejects.toThrow('draem with textures');
    await refused({ textures: 'dir' }, [unet], 'draem');
    await refused({ textures: 'dir' }, [draem], 'none');
  });
});

describe('the names of detectors', () => {
  it('are refused if they are misspelt, with the names that exist', () => {
    const check = (names: string[]) => checkOptions(evaluatorSchema, { detectors: names } as never);
    expect(() => check(['unett'])).toThrow(detectors.join(', '));
    expect(() => check(['unett'])).toThrow('unett');
    expect(() => check([])).toThrow('at least one detector');
  });

  it('are refused on squares that are too small for them', () => {
    expect(() => requireSides([DETECTORS.unet, DETECTORS.efficientad], 96)).toThrow(
      'Expected a resolution or tile of at least 128 pixels for efficientad but received 96',
    );
    requireSides(Object.values(DETECTORS), VIEWS.small.resolution);
  });

  it('each have a description of the same name', () => {
    expect(Object.keys(DETECTORS).sort()).toEqual([...detectors].sort());
    for (const [name, { name: own }] of Object.entries(DETECTORS)) expect(own).toBe(name);
  });
});

describe('the backbone', () => {
  const reader: DetectorKind = { ...memory, backbones: ['mobilenet-v2', 'resnet18'] };
  const learner: DetectorKind = { ...either, backbones: ['resnet50', 'resnet18'], startsRandom: true };
  const weights = import.meta.filename; // Its content does not matter here.

  it('is the chosen one for detectors that can use it, and the own one for others', async () => {
    const chosen = { backbone: 'resnet18', backboneWeights: weights } as const;
    const found = await backbonesOf([DETECTORS.unet, reader, learner], chosen);
    expect([...found].map(([name, { name: backbone, file }]) => [name, backbone, file])).toEqual([
      ['memory', 'resnet18', weights],
      ['either', 'resnet18', weights],
    ]);
    const own = await backbonesOf([learner], {});
    expect(own.get('either')).toEqual({ name: 'resnet50', file: '', digest: '' });
    const other = await backbonesOf([learner, reader], { backbone: 'mobilenet-v2', backboneWeights: weights });
    expect([other.get('either')?.file, other.get('memory')?.file]).toEqual(['', weights]);
  });

  it('is refused if its weights are missing, or if nothing reads it', async () => {
    const failure = async (kinds: DetectorKind[], options: BackboneOptions, message: string) => {
      await expect(backbonesOf(kinds, options)).rejects.toThrow(message);
    };
    await failure([reader], { backbone: 'resnet18' }, 'memory needs the weights of resnet18: give backbone resnet18');
    await failure([reader], { backboneWeights: weights }, 'Expected backbone with backboneWeights');
    await failure(
      [DETECTORS.unet, reader],
      { backbone: 'resnet50' },
      'unet has none; memory has mobilenet-v2, resnet18',
    );
    const missing = { backbone: 'resnet18', backboneWeights: '/nowhere/x.pth' } as const;
    await expect(backbonesOf([reader], missing)).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' });
  });

  it('is asked for with the command that installs it', async () => {
    vi.stubEnv('DUALANODIFF_CACHE', '/nowhere');
    await expect(backbonesOf([reader], {})).rejects.toThrow('run `dualanodiff weights install mobilenet-v2`');
    vi.unstubAllEnvs();
  });
});
