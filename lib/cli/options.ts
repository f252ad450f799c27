import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { MASK_METHODS, type MaskMethod } from '../model/masker.js';
import { given } from '../options/check.js';
import { SAMPLING_PRESETS, schedulers } from '../options/schemas.js';

/** The value of a flag that must be a number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** Two numbers with a colon between them. */
function interval(text: string): [number, number] {
  const [from, to, ...rest] = text.split(':').map(number);
  if (from === undefined || to === undefined || rest.length > 0) throw new InvalidArgumentError('Expected FROM:TO.');
  return [from, to];
}

/** For commands that put the engine to work; the runner heeds it. */
export function addProfileOption(command: Command): Command {
  return command.option('--profile', "say where the engine's time went, by stage and by operation");
}

const words = (flags: string, description: string, choices: readonly string[]) =>
  new Option(flags, description).choices(choices);

export function addTrainOptions(command: Command): Command {
  return command
    .option('--steps <n>', 'training steps (default: what suits the base; 5000 for Stable Diffusion)', number)
    .option('--batch-size <n>', 'pairs per step', number)
    .option('--gradient-accumulation <n>', 'batches per step', number, 1)
    .option('--rank <n>', 'rank of the LoRA layers', number, 32)
    .option('--learning-rate <x>', 'learning rate', number)
    .option('--timestep-power <x>', 'above 1: train more on high noise', number)
    .option('--defect-share <x>', 'smallest share of the loss that comes from the defect; 0: its area decides', number)
    .option('--initial-adapter <file>', "adapter to start from, 'none' for a fresh one (default: the base's, if any)")
    .option('--warmup-steps <n>', 'steps over which the learning rate rises', number, 0)
    .option('--resolution <n>', 'pixels along each side', number)
    .option('--seed <n>', 'seed of everything that is random', number, 0)
    .option(
      '--train-images <n>',
      'how many images train: N or a/b, the first by name; a/b@k: the k-th such part',
      '1/3',
    )
    .addOption(words('--fit <how>', 'for images that are not square', ['crop', 'stretch']).default('crop'))
    .addOption(
      words('--part-fill <how>', 'blank of the anomaly part; auto: the one that more of the defects can be told from', [
        'grey',
        'black',
        'auto',
      ]).default('grey'),
    )
    .addOption(
      words(
        '--branches <which>',
        'what is learned: both branches joined by SAIM, both separately, or the whole image alone (ablations)',
        ['joint', 'separate', 'one'],
      ).default('joint'),
    )
    .addOption(words('--background <form>', 'background compensation', ['off', 'add', 'interpolate']).default('off'))
    .option('--no-background-scaled', 'background latents as published: not scaled by the VAE factor')
    .option('--no-flips', 'do not flip images at random')
    .option('--no-text-encoder', 'do not train the text encoder')
    .option('--gradient-checkpointing', 'less memory for about a third more time')
    .option('--global-prompt <text>', 'prompt of the whole image; {category} and {type} stand for the names')
    .option('--anomaly-prompt <text>', 'prompt of the anomaly part')
    .option('--checkpoint-every <n>', 'steps between checkpoints', number, 500)
    .option('--preview-every <n>', 'steps between previews, 0 for none', number, 0);
}

/** Where foregrounds come from, which background compensation leaves out of training and background images. */
export function addForegroundOptions(command: Command): Command {
  return command
    .option('--foreground-masks <dir>', "masks <name>_mask.png of the foreground, or 'none' (default: by a mask model)")
    .option('--foreground-weights <file>', 'U2-Net weights that find the foreground (default: the embedded ones)');
}

export function addSampleOptions(command: Command, steps: '--steps <n>' | '--sample-steps <n>'): Command {
  const { steps: ofFast, ...fast } = SAMPLING_PRESETS.fast;
  return addForegroundOptions(command)
    .option('--background-images <dir>', 'good images whose backgrounds the pairs are to have')
    .option('--background-every <n>', 'pairs that share a background', number, 50)
    .addOption(words('--background-noise <how>', 'noise of a background', ['fixed', 'fresh']).default('fixed'))
    .addOption(
      words(
        '--keep-background-features <where>',
        "keep what a background's passes make for the batches that share it",
        ['no', 'device', 'host'],
      ).default('no'),
    )
    .option(steps, 'denoising steps', number, 50)
    .option('--guidance-scale <x>', 'classifier-free guidance', number, 2.5)
    .addOption(
      new Option('--guidance-interval <from:to>', 'range of guided calls, from image (0) to noise (1)')
        .argParser(interval)
        .default([0, 1], '0:1'),
    )
    .option('--reuse-features <n>', "compute the UNet's inner levels at every n-th call only", number, 1)
    .addOption(
      words('--preset <name>', 'fewer and cheaper calls of the model: see the README for what that costs', ['fast'])
        .implies({ ...fast, [steps === '--steps <n>' ? 'steps' : 'sampleSteps']: ofFast })
        .conflicts('vary'),
    )
    .addOption(words('--scheduler <name>', 'scheduler', schedulers).default('pndm'))
    .addOption(
      new Option('--vary <strength>', 'draw variations of the real pairs, from 0 (as placed) to 1 (nearly new)')
        .argParser(number)
        .implies({ scheduler: 'ddim', mask: ['layout'] }),
    )
    .option('--own-share <x>', 'share of variations in which a defect keeps its own image (default: 0.6)', number)
    .option('--small-own-share <x>', 'the same for defects below 3 % of their image (default: 1)', number)
    .option('--paste-share <x>', 'share of all variations that are pasted with hard edges (default: 0)', number)
    .option(
      '--small-paste-share <x>',
      'the same for defects below 3 % of their image (default: as --paste-share)',
      number,
    )
    .option(
      '--thin-paste-share <x>',
      'the same for those 15 times as long as wide or more (default: as --small-paste-share)',
      number,
    )
    .option('--paste-on-defects', 'paste onto real images with a defect, not onto good ones')
    .option('--paste-turns', 'turn what is pasted by quarters, too')
    .option('--moved-contrast <x>', 'multiplies how much moved defects stand out, 1..3 (default: 1)', number)
    .option('--light-spread <x>', 'how much the light on variations varies: 0.2 is by a fifth (default: 0)', number)
    .option('--small-light-spread <x>', 'the same where defects are small (default: as --light-spread)', number)
    .option(
      '--exposure-spread <x>',
      'how much the exposure of variations varies: 0.2 is by a fifth (default: 0)',
      number,
    )
    .option(
      '--vary-resolution <n>',
      'pixels along each side of variations: a multiple of what the model works at',
      number,
    )
    .option('--negative-prompt <text>', 'what the images should not show', '')
    .addOption(words('--decoder <name>', 'what makes images of latents', ['vae', 'taesd']).default('vae'));
}

const EVERY_METHOD = 'all';
const NO_METHOD = 'none';

/** `none`, `all`, or methods with commas between them. */
function maskMethods(text: string): MaskMethod[] {
  if (text === NO_METHOD) return [];
  if (text === EVERY_METHOD) return [...MASK_METHODS];
  const methods = [...new Set(text.split(','))];
  const all: readonly string[] = [...MASK_METHODS, 'layout'];
  const known = methods.filter((method): method is MaskMethod => all.includes(method));
  if (known.length < methods.length) {
    throw new InvalidArgumentError(
      `Expected ${all.join(', ')} (several with commas), ${EVERY_METHOD} or ${NO_METHOD}.`,
    );
  }
  return known;
}

export function addMaskOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--mask <methods>',
        `how masks are made: ${MASK_METHODS.join(', ')}, layout (with --vary), ${EVERY_METHOD} or ${NO_METHOD}; of several (with commas) the first is written, and how far they agree is noted`,
      )
        .argParser(maskMethods)
        .default(['u2net'], 'u2net'),
    )
    .option(
      '--keep-best <x>',
      'drop pairs whose mask is empty, touches nothing or disagrees: 80% keeps the best, 0.5 those with such an IoU',
    )
    .option('--weights <file>', 'U2-Net weights, .pth or .safetensors (default: the embedded ones)')
    .option(
      '--mask-threshold <x>',
      'threshold of saliency or attention (0.5) or of distance from the fill (0.12)',
      number,
    );
}

/** The flags that are options of a schema, but for those that the user left out. */
export function pickOptions<S extends z.ZodObject>(
  flags: Partial<Record<keyof z.input<S>, unknown>>,
  schema: S,
): z.input<S> {
  const names = Object.keys(schema.shape) as (keyof typeof flags)[];
  return given(Object.fromEntries(names.map((name) => [name, flags[name]]))) as never;
}
