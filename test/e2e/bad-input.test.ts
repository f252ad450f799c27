import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embedded } from '../../lib/index.js';
import { cli, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const train = (...more: string[]) => trainStains(join(folder, 'a.safetensors'), ...more);

/** A base whose parts are links to the embedded one's, but for those that a test replaces. */
function baseWithout(name: string, part: string): string {
  const base = join(folder, name);
  mkdirSync(base);
  for (const entry of readdirSync(embedded.base)) {
    if (entry !== part) symlinkSync(join(embedded.base, entry), join(base, entry));
  }
  return base;
}

async function expectFailure(args: string[], message: string, code = 1) {
  const { code: actual, stdout, stderr } = await cli(args);
  expect(stderr).toContain(message);
  expect(actual).toBe(code);
  expect(stderr).not.toMatch(/^ {4}at /m); // no stack
  expect(stdout).toBe('');
}

describe('bad input', () => {
  it('a dataset that cannot be used is one line that says why', async () => {
    await expectFailure(
      ['train', '--data', join(folder, 'none'), '--type', 'x', '--out', 'x.safetensors'],
      'does not exist',
    );
    await expectFailure(
      ['train', '--data', embedded.example, '--type', 'dent', '--out', 'x.safetensors'],
      'has no defect type dent; it has scratch, stain',
    );
  });

  it('a wrong flag or value is one line and the exit code of usage', async () => {
    await expectFailure(train('--steps', '0'), 'for steps but received 0', 2);
    await expectFailure(train('--steps', 'many'), 'Expected a number', 2);
    await expectFailure(['train'], 'Expected a folder or file for data but received nothing', 2);
    await expectFailure(train('--colour', 'red'), "unknown option '--colour'", 2);
    await expectFailure(
      train('--resolution', '40'),
      'Expected a multiple of 16 up to 4096 for resolution but received 40',
      2,
    );
  });

  it('a base that lacks something, or whose weights do not fit, is one line that says what', async () => {
    await expectFailure(train('--base', join(folder, 'none')), 'does not exist');
    await expectFailure(train('--base', baseWithout('no-vae', 'vae')), 'lacks its vae');
    const noWeights = baseWithout('no-weights', 'unet');
    mkdirSync(join(noWeights, 'unet'));
    cpSync(join(embedded.base, 'unet', 'config.json'), join(noWeights, 'unet', 'config.json'));
    await expectFailure(train('--base', noWeights), 'has no weights of its unet');
    writeFileSync(join(noWeights, 'unet', 'diffusion_pytorch_model.safetensors'), 'broken');
    await expectFailure(train('--base', noWeights), 'it is a text file, which begins with "broken"');
    const other = baseWithout('other-shape', 'vae');
    cpSync(join(embedded.base, 'vae'), join(other, 'vae'), { recursive: true });
    const config = join(other, 'vae', 'config.json');
    writeFileSync(
      config,
      JSON.stringify({ block_out_channels: [8, 32, 64], layers_per_block: 1, norm_num_groups: 8, latent_channels: 4 }),
    );
    await expectFailure(
      train('--base', other),
      'expected shape [8, 3, 3, 3] for encoder.conv_in.weight but the file has [16, 3, 3, 3]',
    );
  });

  it('a device or an output that cannot be used is one line that names it', async () => {
    await expectFailure(train('--device', 'cuda:63'), 'Device cuda:63 was asked for, but');
    await expectFailure(train('--device', 'tpu'), 'Expected auto, cpu, cuda or cuda:N for device', 2);
    writeFileSync(join(folder, 'file'), '');
    await expectFailure(
      [...train('--steps', '1'), '--out', join(folder, 'file', 'a.safetensors')],
      'a file is in the way',
    );
    await expectFailure([...train('--steps', '1'), '--out', '/dev/full/a.safetensors'], '/dev/full');
  });

  it('an adapter that cannot be read is one line that names it, and nothing is written', async () => {
    const adapter = join(folder, 'not.safetensors');
    writeFileSync(adapter, '{}');
    const sample = ['sample', '--adapter', adapter, '--out', join(folder, 'pairs'), '--count', '1'];
    await expectFailure(sample, 'not.safetensors holds no weights that can be read: it is a JSON file');
    await expectFailure(
      [...sample, '--adapter', join(folder, 'gone.safetensors')],
      'gone.safetensors: there is no such file',
    );
    await expectFailure([...sample, '--mask-weights', adapter, '--adapter', join(folder, 'gone.bin')], 'gone.bin');
    await expectFailure(train('--initial-adapter', adapter), 'not.safetensors holds no weights that can be read');
    await expectFailure(train('--initial-adapter', join(folder, 'gone.safetensors')), 'gone.safetensors');
    rmSync(adapter);
    expect(existsSync(join(folder, 'pairs'))).toBe(false);
  });

  it.each([
    ['ERR_DATASET_INVALID', 1, ['--data', join(folder, 'none')]],
    ['ERR_INVALID_OPTION', 2, ['--steps', '0']],
    ['ERR_INVALID_OPTION', 2, ['--colour', 'red']],
  ] as const)(
    'with --json an error is one object on standard output: %s, exit %d, for %j',
    async (error, exit, flags) => {
      const { code, stdout, stderr } = await cli(train(...flags, '--json'));
      expect(code).toBe(exit);
      expect(JSON.parse(stdout)).toEqual({ error: { code: error, message: expect.any(String) } });
      expect(stderr).toContain(JSON.parse(stdout).error.message);
    },
  );

  it('a stack is printed where DUALANODIFF_DEBUG asks for it, and nowhere else', async () => {
    const args = train('--data', join(folder, 'none'));
    expect((await cli(args)).stderr).not.toMatch(/^ {4}at /m);
    expect((await cli(args, { env: { DUALANODIFF_DEBUG: '1' } })).stderr).toMatch(/^ {4}at /m);
  });
});
