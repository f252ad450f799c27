/** What generated sets are measured by, with which networks. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EvaluateJobOptions } from '../../lib/jobs/index.js';
import { folder, generated, judge, read } from '../helpers/evaluating.js';
import { expectFailure } from '../helpers/failures.js';
import { writeMobileNet } from '../helpers/mobilenet.js';

describe('the quality of generated sets', () => {
  const lpips = join(import.meta.dirname, '../../../shared/fixtures/lpips');
  const lpipsBackbone = join(lpips, 'squeezenet1_1-random.safetensors');
  const lpipsLinear = join(lpips, 'squeeze-linear-v0.1.safetensors');
  const setsAlone: Partial<EvaluateJobOptions> = {
    ...{ compare: [], pairs: { generated }, withReal: false, seeds: 1, iterations: 1, classifier: false },
  };

  it("generated sets are measured with the user's own weights", async () => {
    const out = join(folder, 'quality');
    const { text } = await judge(out, { ...setsAlone, lpipsBackbone, lpipsLinear });
    expect(text).toContain('IC-LPIPS');
    const { quality } = read(out);
    expect(quality.map(({ type, images }) => [type, images])).toEqual([
      ['dent', 4],
      ['pit', 4],
    ]);
    expect(quality.every(({ icLpips, inceptionScore }) => Number(icLpips) > 0 && inceptionScore === undefined)).toBe(
      true,
    );
  });

  it('generated sets are compared with real images by the chosen backbone, which the result and the report name', async () => {
    const out = join(folder, 'compared');
    const file = join(folder, 'mobilenet.safetensors');
    writeMobileNet(file);
    const chosen = { backbone: 'mobilenet-v2', backboneWeights: file } as const;
    const { text } = await judge(out, { ...setsAlone, ...chosen });
    expect(text).toContain('| dent | generated | mobilenet-v2 | 4 |');
    const { quality, networks } = read(out);
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
    expect(networks).toEqual([{ use: 'comparison of pairs', name: 'mobilenet-v2', digest }]);
    for (const { features, inceptionScore, kid, nearest, nearestReal, copies } of quality) {
      expect([features, inceptionScore]).toEqual(['mobilenet-v2', undefined]);
      expect([kid, nearest, nearestReal].every(Number.isFinite)).toBe(true);
      expect(copies).toBeGreaterThanOrEqual(0);
    }
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('Features names the network');
    expect(report).toContain(`mobilenet-v2, SHA-256 ${digest}…`);
    // Two of the four generated images of this type are those that train.
    expect(quality.find(({ type }) => type === 'dent')?.copies).toBeGreaterThanOrEqual(0.5);
    const other = judge(join(folder, 'other'), { ...setsAlone, ...chosen, backbone: 'resnet18' });
    await expectFailure(other, 'ERR_WEIGHTS_INVALID', 'mobilenet.safetensors does not hold weights of resnet18');
    const missing = judge(join(folder, 'other'), { ...setsAlone, backbone: 'resnet18' });
    await expectFailure(missing, 'ERR_INVALID_OPTION', 'comparison of generated pairs needs the weights of resnet18');
    const unread = judge(join(folder, 'other'), { ...chosen, compare: ['none'] });
    await expectFailure(unread, 'ERR_INVALID_OPTION', 'No detector can use the backbone mobilenet-v2');
    expect(existsSync(join(folder, 'other', 'runs'))).toBe(false);
  });

  it('weights of the wrong network, or half of what a measure needs, are an error before anything is trained', async () => {
    const out = join(folder, 'wrong');
    const wrong = judge(out, { ...setsAlone, inceptionWeights: lpipsBackbone });
    await expectFailure(wrong, 'ERR_WEIGHTS_INVALID', 'Conv2d_1a_3x3');
    const narrow = judge(out, { compare: ['none'], classifierWeights: lpipsBackbone });
    await expectFailure(narrow, 'ERR_INVALID_OPTION', 'fit the protocol paper');
    const half = judge(out, { ...setsAlone, lpipsBackbone });
    await expectFailure(half, 'ERR_INVALID_OPTION', 'lpipsLinear');
    expect(existsSync(join(out, 'runs'))).toBe(false);
  });
});
