/** Compares the declarations of options with the engine's own structs, which must have the same names. */
import type { NativeEngine } from '../../lib/addon-types.js';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';

type Names = Readonly<Record<string, unknown>>;
/** The declarations that reach the engine, as `lib/options` exports them. */
export interface Declarations {
  engineTrainingOptions: Names;
  engineSamplingOptions: Names;
  loadOptions: Names;
  sourceOptions: Names;
  convertOptions: Names;
  convertAdapterOptions: Names;
}

const keys = (names: Names, ...leftOut: string[]) => Object.keys(names).filter((name) => !leftOut.includes(name));
const size = ['width', 'height'];
/** A checkpoint file's configuration, which the node side looks up. */
const source = ['path', 'configFolder', 'tokenizerFolder'];

const sampleNames = (declared: Declarations) => [
  ...keys(declared.engineSamplingOptions),
  ...['guidedFrom', 'guidedTo', 'fastDecoder', 'attention'],
  ...size,
];

const learnerNames = [
  ...keys(PROTOCOLS.paper, 'resolution', 'tiles', 'classifier'),
  ...['seed', 'source', 'flipDefects', 'device'],
];

/**
 * Returns the names that the engine's structs must have: options that it takes as they are, and those that the node side
 * adds.
 */
const expectedOf = (declared: Declarations): Partial<Record<keyof EngineOptions, string[]>> => ({
  train: [
    ...keys(declared.engineTrainingOptions, 'globalPrompt', 'anomalyPrompt'),
    ...['globalPrompts', 'anomalyPrompts', 'resolution'],
  ],
  sample: sampleNames(declared),
  place: [...sampleNames(declared), 'strength'],
  paste: ['side', 'channels', 'resolution'],
  move: ['seed', 'box', 'angle', ...size],
  load: [...keys(declared.loadOptions, 'baseConfig', 'lora'), ...source, 'loraFiles', 'loraScales'],
  convertBase: [...keys({ ...declared.sourceOptions, ...declared.convertOptions }, 'baseConfig'), ...source, 'out'],
  convertAdapter: [...keys(declared.convertAdapterOptions), 'input', 'out'],
  classifier: learnerNames,
  detector: [...learnerNames, 'detector', 'backbone', 'backboneFile'],
  augmenter: ['seed'],
  background: ['every', 'scaled', 'freshNoise', 'keepFeatures', 'seed', 'count', ...size],
  mask: ['threshold', 'fill', ...size],
  map: ['count', ...size],
});
type EngineOptions = ReturnType<NativeEngine['nativeInfo']>['options'];

/** The names that only one side has, by the engine's structs: empty where both agree. */
export function disagreements(engine: EngineOptions, declared: Declarations): Record<string, string[]> {
  const expected = expectedOf(declared) as EngineOptions;
  const structs = [...new Set([...Object.keys(engine), ...Object.keys(expected)])] as (keyof EngineOptions)[];
  const different = structs.map((struct) => {
    const [native, wanted] = [engine[struct] ?? [], expected[struct] ?? []];
    const onOneSide = (names: string[], others: string[]) => names.filter((name) => !others.includes(name));
    return [struct, [...onOneSide(native, wanted), ...onOneSide(wanted, native)]] as const;
  });
  return Object.fromEntries(different.filter(([, names]) => names.length > 0));
}
