import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backboneOf, comparisonBackbone } from '../../lib/detect/backbone.js';
import { DETECTORS } from '../../lib/detect/kinds.js';
import { scratchFolder } from '../helpers/scratch.js';

describe('the network that pairs are compared by', () => {
  const folder = scratchFolder();
  let cache: string;
  const install = (name: string) => writeFileSync(join(cache, 'weights', `${name}.pth`), name);

  beforeEach(() => {
    cache = mkdtempSync(join(folder, 'cache-'));
    mkdirSync(join(cache, 'weights'));
    vi.stubEnv('DUALANODIFF_CACHE', cache);
  });
  afterEach(() => vi.unstubAllEnvs());

  it('is MobileNetV2, whatever else is installed', async () => {
    install('efficientnet-lite0');
    expect(await comparisonBackbone({})).toBeUndefined();
    install('mobilenet-v2');
    const file = join(cache, 'weights/mobilenet-v2.pth');
    expect(await comparisonBackbone({})).toMatchObject({ name: 'mobilenet-v2', file });
  });

  it('is the chosen one and no other, as it is for detectors', async () => {
    install('mobilenet-v2');
    install('efficientnet-lite0');
    const chosen = await comparisonBackbone({ backbone: 'efficientnet-lite0' });
    expect(chosen).toMatchObject({ name: 'efficientnet-lite0', digest: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(await backboneOf(DETECTORS.patchcore, { backbone: 'efficientnet-lite0' })).toEqual(chosen);
    expect(await comparisonBackbone({ backbone: 'resnet18' })).toBeUndefined();
  });
});
