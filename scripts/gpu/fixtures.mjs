// Chooses the golden cases that fit into the pack.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The golden cases of these kinds compute on the device and have small files. The others need the larger base of this
 * folder; fixtures-place has cases of the UNet, of both branches, of gradients and of sampling on a smaller base.
 */
const KINDS = ['scheduler', 'add_noise', 'localization', 'lpips'];

/** Copies the cases, with the files that they name, and writes their manifest. */
export function copyCases(from, to) {
  const manifest = JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8'));
  const cases = manifest.filter(({ kind }) => KINDS.includes(kind));
  const files = cases.flatMap(({ file, params: { weights, backbone, linear } }) => [file, weights, backbone, linear]);
  for (const file of new Set(files.filter(Boolean))) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file));
  }
  writeFileSync(join(to, 'manifest.json'), JSON.stringify(cases));
}
