import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../lib/core/errors.js';
import { commands, say } from '../helpers/commands.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let files = 0;
function config(text: string): string {
  const file = join(folder, `options${files++}.yaml`);
  writeFileSync(file, text);
  return file;
}
const required = ['--adapter', 'a.safetensors', '--out', 'out'];

/** Flags of every kind that a command has. */
const FLAGS: Record<string, string[]> = {
  train: [
    ...['--data', 'tile', '--type', 'a b', '--out', 'a.safetensors', '--train-images', '1/3@2', '--steps', '5'],
    ...['--global-prompt', 'a: "tile" # {type}', '--no-flips', '--no-train-text-encoder', '--learning-rate', '1e-5'],
    ...['--lora', 'x.safetensors=0.5', '--lora', 'y.safetensors', '--resume'],
  ],
  sample: [
    ...[...required, '--guidance-interval', '0.2:1', '--preset', 'fast', '--mask', 'threshold,u2net'],
    ...['--no-background-scaled', '--negative-prompt', '', '--keep-best', '0.5', '--anomaly-prompt', 'no'],
  ],
  place: [
    ...[...required, '--onto', 'tile', '--where', '10,20,30,40', '--where-not', 'no', '--strength', '0.5'],
    ...['--per-photograph', '2', '--window', '64', '--type', 'a b', '--foreground-masks', 'none'],
  ],
  mask: ['--parts', 'parts', '--out', '1e3', '--mask', 'threshold', '--mask-threshold', '0'],
  run: ['--data', 'tile', '--recipe', 'augment', '--keep-best', '80%', '--mask', 'none', '--count', '1'],
  evaluate: [
    ...['--data', 'tile', '--out', 'out', '--pairs', 'ours=a', '--pairs', 'b', '--compare', 'none'],
    ...['--recipes', 'noise,augment', '--no-with-real', '--train-images', '3', '--fresh-pairs'],
  ],
  check: ['--data', 'a b', '--window', '64', '--fit', 'stretch'],
  export: ['--data', 'tile', '--pairs', 'a', '--format', 'yolo', '--out', '1', '--polygon-error', '0.5'],
  fit: ['--data', 'tile', '--detector', 'patchcore', '--out', 'a.safetensors', '--tile', '64'],
  detect: ['--detector', 'a.safetensors', '--images', 'b c', '--out', 'out'],
  import: ['--from', 'a b.json', '--format', 'labelme', '--out', '1'],
  review: ['--data', 'a b', '--port', '8123'],
  demo: ['--out', 'null'],
  serve: ['--store', 's3://bucket/a b', '--port', '0', '--host', '0.0.0.0', '--tokens', 'a b', '--max-files', '3'],
  worker: ['--store', 'a b', '--redis', 'rediss://user:no@host:6379/1', '--concurrency', '2', '--copy-seconds', '0.5'],
  convert: ['--input', 'a.bin', '--out', 'true', '--to', 'base', '--dtype', 'float16'],
  doctor: [],
  install: ['--cuda', '--from', '# wheels'],
};

/** What follows the name of a command that takes a value without a flag. */
const ARGUMENTS: Record<string, string[]> = { review: ['out/tile'] };

describe('--print-config', () => {
  it.each(commands.filter(({ options }) => options).map(({ name }) => name))(
    'of %s prints a file that gives the same options',
    async (name) => {
      const flags = FLAGS[name] as string[];
      const own = ARGUMENTS[name] ?? [];
      const { options } = await say(name, ...own, ...flags);
      const { outcome, options: worked } = await say(name, ...own, ...flags, '--print-config');
      expect(worked).toBeUndefined();
      const file = config(`${outcome?.text}\n`);
      expect((await say(name, ...own, '--config', file)).options).toEqual(options);
      expect((await say(name, ...own, '--config', file, '--print-config')).outcome?.text).toBe(outcome?.text);
    },
  );

  it('shows what was not given as comments, with the default or what decides it', async () => {
    const { outcome } = await say('run', '--count', '3', '--print-config');
    const lines = outcome?.text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['# data: (required)', 'count: 3', '# rank: 32', '# type: (every one)', '# lora: []'],
        '# steps: (set by the base, 20 for the embedded model, 50 for Stable Diffusion)',
      ]),
    );
    expect(outcome?.value).toEqual({ count: 3 });
  });

  it('keeps options of the file that have no flag', async () => {
    const { outcome } = await say('sample', '--config', config('eta: 0.5\n'), '--print-config');
    expect(outcome?.text).toMatch(/^eta: 0.5$/m);
    expect((await say('sample', '--print-config')).outcome?.text).not.toContain('eta');
  });
});

describe('--config', () => {
  it('gives way to flags, wherever they stand', async () => {
    const file = config('count: 5\nseed: 1\nkeepBackgroundFeatures: host\n');
    const { options } = await say('sample', '--count', '7', '--config', file, '--seed', '0', ...required);
    expect(options).toEqual({
      ...{ count: 7, seed: 0, keepBackgroundFeatures: 'host', adapter: 'a.safetensors', out: 'out' },
    });
    const trained = await say('train', '--config', config('resume: false\nflips: true\n'), '--resume', '--no-flips');
    expect(trained.options).toEqual({ resume: true, flips: false });
  });

  it('takes lists and folders as flags have them, too', async () => {
    const file = config('pairs: ours=out/a\nrecipes: all\ncompare: [none]\n');
    expect((await say('evaluate', '--config', file)).options).toEqual({
      ...{ pairs: { ours: 'out/a' }, recipes: ['noise', 'place', 'augment'], compare: ['none'] },
    });
    const interval = await say('sample', '--config', config('guidanceInterval: 0.2:1\nmask: [u2net]\n'));
    expect(interval.options).toEqual({ guidanceInterval: [0.2, 1], mask: ['u2net'] });
    expect((await say('sample', '--config', config('keepBest: 0.5\n'))).options).toEqual({ keepBest: '0.5' });
  });

  it('may hold nothing', async () => {
    expect((await say('run', '--config', config('# rank: 32\n'))).options).toEqual({});
  });

  it.each([
    ['colour: red', 'unknown option colour'],
    ['train-steps: 5', 'unknown option train-steps: a config file calls it trainSteps'],
    ['constructor: 5', 'unknown option constructor'],
    ['trainSteps: many', 'Expected an integer of at least 1 for trainSteps but received "many" of type string'],
    ['count: 0', 'Expected an integer 1..1000000 for count but received 0'],
    ['count:', 'Expected an integer 1..1000000 for count but received null'],
    ['recipe: mixed', 'Expected one of noise, place, augment for recipe but received "mixed"'],
    ['resume: 1', 'Expected true or false for resume but received 1'],
    ['mask: [u2net, saliency]', 'for mask.1 but received "saliency"'],
    ['mask: saliency', 'Expected u2net, attention, threshold (several with commas), all or none'],
    ['lora: [{ scale: 2 }]', 'for lora.0.file but received nothing'],
    ['- count', 'expected options as name: value, one a line'],
    ['count: [1', 'is not YAML'],
    ['count: 1\ncount: 2', 'is not YAML: Map keys must be unique at line 3, column 1'],
  ])('is refused with its name for %j', async (text, message) => {
    const file = config(`seed: 7\n`.repeat(Number(!text.startsWith('-'))) + text);
    const error = await say('run', '--config', file).catch((cause) => cause);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toContain(file);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  it('is refused with its name where there is no such file', async () => {
    const file = join(folder, 'nowhere.yaml');
    await expect(say('run', '--config', file)).rejects.toMatchObject({
      code: 'ERR_FILE_ACCESS',
      message: expect.stringContaining(file),
    });
  });
});
