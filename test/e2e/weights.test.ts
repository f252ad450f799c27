import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { embedded, Masker, readImage } from '../../lib/index.js';
import { catalogue, type KnownWeights } from '../../lib/weights/catalogue.js';
import { installFrom } from '../../lib/weights/install.js';
import { safetensorsOf } from '../../lib/weights/safetensors.js';
import { convolutionModel } from '../helpers/onnx.js';
import { scratchFolder } from '../helpers/scratch.js';
import { embeddedU2net, foldedConvolutions } from '../helpers/u2net.js';

const folder = scratchFolder();
afterEach(() => vi.unstubAllEnvs());

it('a network whose batch norms an exporter folded gives the masks of the network itself', async () => {
  const tensors = embeddedU2net();
  const plain = [...tensors].map(
    ([name, { shape, values }]) => [name, { shape, data: new Uint8Array(values.buffer) }] as const,
  );
  const original = join(folder, 'original.safetensors');
  writeFileSync(original, Buffer.concat(safetensorsOf(new Map(plain), {})));
  const onnx = convolutionModel(foldedConvolutions(tensors));
  const file = join(folder, 'folded.onnx');
  writeFileSync(file, onnx);
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  vi.stubEnv('DUALANODIFF_CACHE', join(folder, 'cache'));
  const installed = await installFrom({ ...(catalogue[1] as KnownWeights), sha256 }, { from: file });

  vi.unstubAllEnvs(); // libtorch may be in the real cache.
  await using before = await Masker.load(original);
  await using after = await Masker.load(installed);
  const images = join(embedded.example, 'test', 'stain');
  for (const name of readdirSync(images).slice(0, 3)) {
    const image = await readImage(join(images, name));
    const [a, b] = [await before.mask(image), await after.mask(image)];
    expect(a.coverage).toBeGreaterThan(0);
    const differing = a.data.filter((value, i) => value !== b.data[i]).length;
    expect(differing / a.data.length, name).toBeLessThan(1e-3);
  }
});
