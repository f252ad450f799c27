import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { getEngine } from '../../lib/native.js';
import type { JsonSchema } from '../../lib/options/json-schema.js';
import { cli } from '../helpers/cli.js';
import { type Declarations, disagreements } from '../helpers/contract.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
/** A copy of the package in which one option is added, by one line. */
const trial = scratchFolder();
const main = join(trial, 'dist', 'main.mjs');
const inTrial = (...path: string[]) => readFileSync(join(trial, ...path), 'utf8');

const DECLARATIONS = join('lib', 'options', 'sampling.ts');
const SET = 'export const engineSamplingOptions = {\n';
const LINE = "  trialShare: option(real(0, 2).default(0.5), 'common', 'Share of the trial.'),\n";

/** Code of a user that is checked against the copy's types. */
const USER = `
  import type { Sampler } from './index.js';
  import type { GenerateJobOptions } from './jobs/index.js';
  export const sample = (sampler: Sampler) => sampler.sample({ trialShare: 1 });
  // @ts-expect-error no number
  export const job: GenerateJobOptions = { adapter: 'a', out: 'b', trialShare: 'half' };
`;
/** The test looks at these parts of the copy. */
const INSIDE = `
  export { openApiSchemas } from './options/index.js';
  export { nativeSampling } from './model/sampling-settings.js';
  export * from './options/base.js';
  export * from './options/sampling.js';
  export * from './options/training.js';
`;

function node(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: trial, encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout + stderr);
}

beforeAll(async () => {
  mkdirSync(join(trial, 'docs'));
  for (const name of ['lib', 'docs/options.md', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(trial, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(trial, 'node_modules'));
  const declarations = inTrial(DECLARATIONS);
  expect(declarations.split(SET)).toHaveLength(2);
  writeFileSync(join(trial, DECLARATIONS), declarations.replace(SET, SET + LINE));
  node(join(root, 'scripts', 'generate-options.mjs'), '--root', trial);
  writeFileSync(join(trial, 'lib', 'user.ts'), USER);
  writeFileSync(join(trial, 'lib', 'inside.ts'), INSIDE);
  await build({
    entryPoints: { main: join(trial, 'lib', 'cli', 'main.ts'), inside: join(trial, 'lib', 'inside.ts') },
    ...{ outdir: join(trial, 'dist'), outExtension: { '.js': '.mjs' } },
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'esm', packages: 'external', logLevel: 'error' },
  });
});

describe('an option that is added by one line', () => {
  it('has a flag, which help shows with its documentation, range and default', async () => {
    const { stdout, stderr } = await cli(['sample', '--help'], { main });
    expect(stderr).toBe('');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--trial-share <n> Share of the trial. Range: 0 to 2. Default: 0.5.',
    );
  });

  it('is read from a config file and printed as one', async () => {
    const file = join(trial, 'options.yaml');
    writeFileSync(file, 'trialShare: 1.5\n');
    const { stdout } = await cli(['sample', '--config', file, '--print-config'], { main });
    expect(stdout).toMatch(/^trialShare: 1.5$/m);
    writeFileSync(file, 'trialShare: 3\n');
    const { code, stderr } = await cli(['sample', '--config', file], { main });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('a number 0..2 for trialShare') });
  });

  it('is in the interfaces of the package with its documentation, and the rest of lib compiles unchanged', () => {
    const parts = inTrial('lib', 'options', 'generated.ts').split('export interface ');
    const interfaces = new Map(parts.map((text) => [text.split(' ', 1)[0], text]));
    for (const name of ['SampleSettings', 'BatchSettings', 'GenerateJobOptions'])
      expect(interfaces.get(name), name).toMatch(
        /\* Share of the trial. Range: 0 to 2. Default: 0.5.\n +\*\/\n +trialShare\?: number;/,
      );
    expect(interfaces.get('MaskJobOptions')).not.toContain('trialShare');
    node(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit');
  });

  it('is in the schemas for OpenAPI', async () => {
    const { openApiSchemas } = (await import(join(trial, 'dist', 'inside.mjs'))) as {
      openApiSchemas(): Record<string, JsonSchema>;
    };
    const { GenerateJobOptions, MaskJobOptions } = openApiSchemas();
    expect(GenerateJobOptions?.properties?.trialShare).toEqual({
      ...{ type: 'number', minimum: 0, maximum: 2, default: 0.5 },
      description: 'Share of the trial. Range: 0 to 2. Default: 0.5.',
    });
    expect(MaskJobOptions?.properties).not.toHaveProperty('trialShare');
  });

  it('is in the tables of docs/options.md', () => {
    const [, sample = ''] = inTrial('docs', 'options.md').split('\n## `sample`\n');
    expect(sample.split('\n## ')[0]).toContain('\n| `--trial-share` | Share of the trial. | 0.5 |\n');
  });

  it('crosses to the engine, and is missed there by the check of its structs', async () => {
    const inside = (await import(join(trial, 'dist', 'inside.mjs'))) as Declarations & {
      nativeSampling(settings: object, attention: boolean): object;
    };
    const settings = { guidanceInterval: [0, 1], resolution: 64, trialShare: 1.5 };
    expect(inside.nativeSampling(settings, false)).toMatchObject({ trialShare: 1.5 });
    const { options } = (await getEngine()).nativeInfo();
    expect(disagreements(options, inside)).toEqual({ sample: ['trialShare'], place: ['trialShare'] });
  });
});
