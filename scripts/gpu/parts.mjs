// Lists the parts of a run in the order of their worth: first whether the engine is right on the device, then how fast.
import { join } from 'node:path';
import { readBenchmark, readChecks, readCounts, readKernels, readSanitizer } from './outputs.mjs';

/** Rehearsals on the CPU have small sizes, so that each part takes seconds. Their limits are longer. */
const SIZES = {
  cuda: { size: '512', reps: '10', pairs: ['1', '8'], training: '4', types: ['float16', 'bfloat16'] },
  cpu: { size: '64', reps: '1', pairs: ['1', '2'], training: '2', types: ['bfloat16'] },
};

const what = { bfloat16: 'bf16', float16: 'fp16' };

/**
 * Returns the parts. Each has a name, a command with arguments, `limit` (the seconds after which it is ended), `need`
 * (it is not begun with fewer seconds left), and `read` for its output. `missing` says why a part cannot run. `beside`
 * is the part that it is compared with.
 */
export function listParts({ pack, device, machine, scratch }) {
  const program = (name) => join(pack, 'build', name);
  const fixtures = (name) => join(pack, 'fixtures', name);
  const { size, reps, pairs, training, types } = SIZES[device];
  const isRehearsal = device === 'cpu';
  const tiny = fixtures('place/tiny-sd');
  const script = (name, ...args) => ({
    command: process.execPath,
    args: [join(pack, name), '--device', device, ...args],
  });
  const tests = (command, ...args) => ({ command: program(command), args, read: readCounts });

  const bench = (name, ...args) => ({
    command: program('dualanodiff-bench'),
    args: [name, '--device', device, '--size', size, ...(isRehearsal ? ['--base', tiny] : []), ...args],
    ...{ read: readBenchmark, limit: 90, need: 25 },
  });
  const peer = (beside, ...args) => ({
    command: machine.peerPython,
    args: [
      ...[join(pack, 'peer', 'dual_step.py'), '--device', device, '--size', size],
      ...(isRehearsal ? ['--config', join(tiny, 'unet', 'config.json')] : []),
      ...args,
    ],
    ...{ read: readBenchmark, limit: 90, need: 30, beside },
    missing: machine.peerPython ? undefined : 'there is no Python with torch',
  });
  const sanitizer = (tool) => ({
    command: machine.sanitizer,
    args: ['--tool', tool, '--error-exitcode', '1', program('dualanodiff-kernel-tests')],
    ...{ read: readSanitizer, limit: 90, need: 30 },
    missing: machine.sanitizer ? undefined : 'compute-sanitizer is not there',
  });

  // The dtype of ours is what `--dtype auto` takes.
  const steps = pairs.toReversed().flatMap((count) => {
    const shape = ['--pairs', count, '--cfg', '--reps', reps];
    const ours = `step of ${count} in bf16`;
    return [
      [ours, bench('denoise-step', ...shape, '--dtype', 'bfloat16')],
      ...types.map((dtype) => [`peer's step of ${count} in ${what[dtype]}`, peer(ours, ...shape, '--dtype', dtype)]),
    ];
  });
  const train = ['--pairs', training, '--reps', reps, '--dtype', 'bfloat16'];
  const most = pairs.at(-1);
  const profiled = ['denoise-step', '--pairs', most, '--cfg', '--reps', '1', '--dtype', 'bfloat16'];
  const kernels = bench(...profiled);

  const parts = Object.entries({
    'goldens of place': {
      ...tests('dualanodiff-golden', fixtures('place'), '--device', device),
      ...{ limit: 60, need: 5 },
    },
    goldens: { ...tests('dualanodiff-golden', fixtures('small'), '--device', device), limit: 60, need: 5 },
    'native tests of devices': {
      ...tests('dualanodiff-native-tests', fixtures('place'), 'leave_nothing_on_the_host'),
      ...{ limit: 90, need: 10 },
    },
    'native tests of graphs': {
      ...tests('dualanodiff-native-tests', fixtures('place'), 'graphs_predict'),
      ...{ limit: 30, need: 5 },
    },
    'kernel tests': { ...tests('dualanodiff-kernel-tests'), limit: 60, need: 5 },
    'the device against the CPU': {
      ...script('compare.js', '--base', tiny, '--adapters', join(scratch, 'compare')),
      ...{ read: readChecks, limit: 120, need: 10 },
    },
    memcheck: sanitizer('memcheck'),
    racecheck: sanitizer('racecheck'),
    [`${most} pairs of 50 steps in bf16`]: bench(
      ...['sample', '--pairs', most, '--cfg', '--dtype', 'bfloat16', '--reps', isRehearsal ? '1' : '2'],
    ),
    [`training step of ${training} in bf16`]: bench('train-step', ...train),
    [`peer's training step of ${training} in bf16`]: peer(`training step of ${training} in bf16`, '--train', ...train),
    ...Object.fromEntries(steps),
    [`training step of ${training} with checkpointing`]: bench('train-step', ...train, '--checkpointing'),
    [`VAE of ${most} pairs in bf16`]: bench('vae', '--pairs', most, '--reps', reps, '--dtype', 'bfloat16'),
    place: {
      ...script(
        'place.js',
        '--scratch',
        join(scratch, 'place'),
        '--bench',
        program('dualanodiff-bench'),
        '--base',
        tiny,
      ),
      ...{ read: readBenchmark, limit: 120, need: 45 },
    },
    'profile by operation': bench(...profiled, '--profile'),
    'profile by kernel': {
      command: machine.ncu,
      args: [
        ...['--csv', '--clock-control', 'none', '--metrics', 'gpu__time_duration.sum', '--launch-count', '6000'],
        ...[kernels.command, ...kernels.args],
      ],
      ...{ read: readKernels, limit: 150, need: 60 },
      missing: machine.ncu ? undefined : 'ncu is not there',
    },
  });
  return parts.map(([name, part]) => ({ name, ...part, limit: part.limit * (isRehearsal ? 4 : 1) }));
}
