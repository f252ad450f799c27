/** The flags that say which base model a command works on. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DualAnoDiff } from '../model.js';
import { given } from '../options/check.js';
import { embedded } from '../paths.js';
import { addProfileOption, number } from './options.js';
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

/** `FILE` or `FILE=SCALE`, once for each file. */
function addLora(text: string, before: { file: string; scale: number }[] = []): { file: string; scale: number }[] {
  const [, file, scale] = /^(.+?)(?:=([^=/]*))?$/.exec(text) ?? [];
  if (file === undefined) throw new InvalidArgumentError('Expected FILE or FILE=SCALE.');
  return [...before, { file, scale: scale === undefined ? 1 : number(scale) }];
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
    .option('--lora <file[=scale]>', 'LoRA made for the base, merged into it (may be repeated)', addLora)
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
