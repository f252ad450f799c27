/** The flags that say which base model a command works on. */
import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { embedded } from '../core/paths.js';
import { DualAnoDiff } from '../model/dualanodiff.js';
import { given } from '../options/check.js';
import { addProfileOption } from './options.js';
import type { Context } from './runner.js';

export interface BaseFlags {
  base?: string;
  baseConfig?: string;
  predictionType?: 'epsilon' | 'v_prediction';
  lora?: { file: string; scale: number }[];
  taesd?: string;
  device: string;
  dtype: 'auto';
}

/**
 * `FILE` or `FILE=SCALE`, once for each file; names of files may hold `=`, so that what is there under the whole text is
 * meant. A folder is one that holds a LoRA.
 */
export function addLora(
  text: string,
  before: { file: string; scale: number }[] = [],
): { file: string; scale: number }[] {
  const [, file, scale] = /^(.+)=([^=/]*)$/.exec(text) ?? [];
  if (file === undefined || scale === undefined || existsSync(text)) return [...before, { file: text, scale: 1 }];
  const factor = scale.trim() === '' ? Number.NaN : Number(scale);
  if (Number.isFinite(factor)) return [...before, { file, scale: factor }];
  if (!existsSync(file)) return [...before, { file: text, scale: 1 }]; // an error that names the whole
  throw new InvalidArgumentError(`Expected a number after ${file}= but received ${JSON.stringify(scale)}.`);
}

/** What `convert` needs of these too. */
export function addSourceOptions(command: Command): Command {
  return command
    .option(
      '--base-config <dir>',
      'for a checkpoint file: diffusers folder with its configs (default: told by its tensors)',
    )
    .addOption(
      new Option('--prediction-type <name>', 'what the base predicts, where its files do not say').choices([
        'epsilon',
        'v_prediction',
      ]),
    );
}

export function addBaseOptions(command: Command): Command {
  return addSourceOptions(
    addProfileOption(command).option(
      '--base <path>',
      'base model: diffusers folder or checkpoint file (default: the embedded one)',
    ),
  )
    .option(
      '--lora <file[=scale]>',
      'LoRA made for the base, a file or the folder of one, merged into it (may be repeated)',
      addLora,
    )
    .option('--taesd <path>', 'TAESD decoder, for previews and `--decoder taesd`')
    .option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto')
    .addOption(
      new Option('--dtype <name>', 'precision of the base')
        .choices(['auto', 'float32', 'bfloat16', 'float16'])
        .default('auto'),
    );
}

export async function loadBase(flags: BaseFlags, { io, signal }: Context): Promise<DualAnoDiff> {
  const { base = embedded.base, baseConfig: configFolder, predictionType, lora: loras, taesd, device, dtype } = flags;
  const source = given({ configFolder, predictionType, loras, taesd });
  const model = await DualAnoDiff.load(base, { ...source, device, dtype, signal });
  if (model.info.deviceNotice) io.warn(`Working on the CPU although there is a GPU: ${model.info.deviceNotice}`);
  return model;
}
