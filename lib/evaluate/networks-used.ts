/** Says which networks an evaluation took from files, because its figures depend on them. */
import type { Backbone } from '../detect/backbone.js';
import type { FeatureNetwork, Quality } from './quality.js';

/** A network whose weights come from a file. */
export interface NetworkUse {
  /** The detector that uses it, or `classifier` or `comparison of pairs`. */
  use: string;
  name: string;
  /** The first 16 digits of the SHA-256 digest of the weights. It is null if they are random at first, because there is no file of them. */
  digest: string | null;
}

const CLASSIFIER = 'classifier';
const COMPARISON = 'comparison of pairs';

/** Returns the networks of the detectors, of the classifiers if there are some, and of the comparison of generated pairs. */
export function networksUsed(
  { backbones, backboneDigest }: { backbones: ReadonlyMap<string, Backbone>; backboneDigest: string | undefined },
  classifies: boolean,
  quality: readonly Quality[],
  features: FeatureNetwork | undefined,
): NetworkUse[] {
  const isCompared = quality.some(({ features: name }) => name !== undefined);
  return [
    ...[...backbones].map(([use, { name, digest }]) => ({ use, name, digest: digest || null })),
    ...(backboneDigest === undefined || !classifies
      ? []
      : [{ use: CLASSIFIER, name: 'resnet18', digest: backboneDigest }]),
    ...(isCompared && features ? [{ use: COMPARISON, name: features.name, digest: features.digest }] : []),
  ];
}
