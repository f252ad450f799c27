// Usage: node bench/claims.mjs PYTHON [--only PART,...] [--reps N] [--size N] [--capability NAME] [--before DIR]
//                              [--openvino-ir DIR] [--save NAME]
// Measures every claim of speed and memory on this machine beside the peer and beside OpenVINO, one after the other,
// and prints a table. It takes about an hour on two cores. PYTHON must have torch, diffusers and transformers, and
// openvino for the part `openvino`. With --save, writes bench/results/NAME.json, which bench/chart.mjs draws.
//
// --size replaces the sizes of all steps, to try it out. --capability (avx2, avx512) lets libtorch, the engine and the
// peer use no later instructions; OpenVINO is left out then, because it does not obey. --before names a built checkout
// of an earlier version, which the part `pairs` runs too. --openvino-ir keeps the converted UNet (3.4 GB) there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const text = { type: 'string' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ save: text, only: text, size: text, capability: text, before: text, 'openvino-ir': text },
    reps: { ...text, default: '3' },
  },
});

/** These variables let libtorch with the engine's kernels, and oneDNN, use no later instructions. */
const CAPABILITIES = {
  avx2: { ATEN_CPU_CAPABILITY: 'avx2', ONEDNN_MAX_CPU_ISA: 'AVX2' },
  avx512: { ATEN_CPU_CAPABILITY: 'avx512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' },
};
const flags = readFileSync('/proc/cpuinfo', 'utf8');
const has = (feature) => new RegExp(`\\b${feature}\\b`).test(flags);
const { capability } = values;
const hasBfloat16 = capability === undefined && (has('avx512_bf16') || has('amx_bf16'));
const threads = String(cpus().length);
const scratch = mkdtempSync(join(tmpdir(), 'dualanodiff-claims-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function usage(message) {
  console.error(message);
  process.exit(2);
}

function run(command, args, options = {}) {
  const env = { ...process.env, ...CAPABILITIES[capability] };
  const { status, stdout, stderr } = spawnSync(command, args, {
    ...{ stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 26, env },
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr?.trim().split('\n').at(-1)}`);
  return stdout;
}
const how = ['--threads', threads, '--reps', values.reps];
const lastLine = (printed) => JSON.parse(printed.trim().split('\n').at(-1));
const [python] = positionals;
const bench = (name, ...args) => lastLine(run(join(root, 'build', 'dualanodiff-bench'), [name, ...how, ...args]));
const peer = (...args) => lastLine(run(python, [join(root, '..', 'shared', 'peer', 'dual_step.py'), ...how, ...args]));
const ir = resolve(values['openvino-ir'] ?? join(scratch, 'openvino'));
const openvino = (...args) =>
  lastLine(run(python, [join(root, 'bench', 'openvino_step.py'), '--ir', ir, ...how, ...args]));

const rows = [];
/** Adds a row: our time and memory beside the other's, with the ratios that are the goals. */
function claim(what, goal, ours, other, memoryGoal) {
  const row = { what, goal, ours_s: ours.median_s, other_s: other.median_s, ratio: ours.median_s / other.median_s };
  if (memoryGoal !== undefined) {
    Object.assign(row, { ours_mib: ours.peak_mib, other_mib: other.peak_mib });
    Object.assign(row, { memory_goal: memoryGoal, memory_ratio: ours.peak_mib / other.peak_mib });
  }
  rows.push(row);
  const memory = memoryGoal === undefined ? '' : `; memory ${row.memory_ratio.toFixed(2)} of ${memoryGoal}`;
  const times = `${row.ours_s.toFixed(3)} s of ${row.other_s.toFixed(3)}`;
  console.log(`${what}: ${times}, ratio ${row.ratio.toFixed(2)} of ${goal}${memory}`);
}

/** The dtypes that are measured, each with its goals beside the peer. */
const GOALS = { float32: { denoise: 0.7, train: 0.65 }, bfloat16: { denoise: 0.75, train: 0.6 } };
const dtypes = hasBfloat16 ? ['float32', 'bfloat16'] : ['float32'];
const MEMORY_GOAL = 0.65;
const sizeOf = (usual) => values.size ?? usual;

const denoiseArgs = (dtype) => ['--size', sizeOf('512'), '--cfg', '--dtype', dtype];
const measured = new Map();
/** Returns our denoising step, which several parts are compared with. */
function denoise(dtype) {
  if (!measured.has(dtype)) measured.set(dtype, bench('denoise-step', ...denoiseArgs(dtype)));
  return measured.get(dtype);
}
const named = (dtype) => `denoise step, ${sizeOf('512')}, ${dtype}`;

const parts = {
  denoise() {
    for (const dtype of dtypes)
      claim(named(dtype), GOALS[dtype].denoise, denoise(dtype), peer(...denoiseArgs(dtype)), MEMORY_GOAL);
  },
  plain() {
    for (const dtype of dtypes)
      claim(`${named(dtype)}, beside PyTorch's bare UNet`, 1, denoise(dtype), peer(...denoiseArgs(dtype), '--plain'));
  },
  openvino() {
    if (capability !== undefined) return;
    for (const dtype of dtypes)
      claim(`${named(dtype)}, beside OpenVINO's bare UNet`, 0.95, denoise(dtype), openvino(...denoiseArgs(dtype)));
  },
  train() {
    for (const dtype of dtypes) {
      const args = ['--size', sizeOf('256'), '--dtype', dtype];
      const what = `training step, ${sizeOf('256')}, ${dtype}`;
      claim(what, GOALS[dtype].train, bench('train-step', ...args), peer('--train', ...args), MEMORY_GOAL);
    }
  },
  saim() {
    const shapes = { 4096: 320, 1024: 640, 256: 1280 };
    for (const [tokens, width] of Object.entries(shapes).reverse()) {
      const module = ['--pairs', '1', '--cfg', '--tokens', tokens, '--width', String(width), '--reps', '20'];
      const plain = bench('saim', ...module, '--plain');
      claim(`SAIM, ${tokens} x ${width}, beside the plain composition`, 0.333, bench('saim', ...module), plain);
    }
  },
  bcm() {
    // The two are measured in turns, because other programs on the machine can change a single time by more than 10 %.
    const pairs = ['--pairs', '8', '--size', sizeOf('256'), '--cfg', '--reps', '1'];
    const turns = Array.from({ length: 4 }, () => [bench('bcm', ...pairs), bench('denoise-step', ...pairs)]);
    const median = (which) => {
      const [, low, high] = turns.map((turn) => turn[which].median_s).sort((a, b) => a - b);
      return { median_s: (low + high) / 2 };
    };
    claim('8 pairs that share a background, beside none', 1.1, median(0), median(1));
  },
  start() {
    const { start_s, read_s } = JSON.parse(run(process.execPath, [join(root, 'bench', 'start.mjs')]));
    const row = { what: 'process start to first step, beyond reading the files', goal_s: 2, ours_s: start_s - read_s };
    rows.push(row);
    console.log(`${row.what}: ${row.ours_s.toFixed(2)} s of ${row.goal_s}`);
  },
  pairs() {
    // The whole command is timed, in turns with that of the earlier version.
    const command = (checkout, out) => {
      const adapter = join(checkout, 'assets', 'base', 'initial_adapter.safetensors');
      const sampling = ['--count', '16', '--resolution', '128', '--steps', '50', '--seed', '1', '--out', out];
      const begin = performance.now();
      run(process.execPath, [join(checkout, 'dist', 'cli', 'main.js'), 'sample', '--adapter', adapter, ...sampling]);
      return (performance.now() - begin) / 1000;
    };
    const checkouts = { ours: root, ...(values.before && { other: resolve(values.before) }) };
    const times = { ours: [], other: [] };
    for (let rep = 0; rep < Number(values.reps); rep++) {
      for (const [name, checkout] of Object.entries(checkouts))
        times[name].push(command(checkout, join(scratch, `${name}-${rep}`)));
    }
    const median = (list) => ({ median_s: list.sort((a, b) => a - b)[Math.floor(list.length / 2)] });
    const what = '16 pairs of the embedded base, from process start';
    if (values.before) {
      claim(`${what}, beside the version before`, 0.5, median(times.ours), median(times.other));
    } else {
      rows.push({ what, ours_s: median(times.ours).median_s });
      console.log(`${what}: ${rows.at(-1).ours_s.toFixed(2)} s`);
    }
  },
};

const chosen = values.only?.split(',') ?? Object.keys(parts);
const unknown = chosen.find((name) => !(name in parts));
if (!python) usage(`usage: node bench/claims.mjs PYTHON [--only ${Object.keys(parts).join(',')}] [--save NAME] ...`);
if (unknown !== undefined)
  usage(`Expected ${Object.keys(parts).join(', ')} for --only but received ${JSON.stringify(unknown)}`);
if (capability !== undefined && !(capability in CAPABILITIES))
  usage(`Expected ${Object.keys(CAPABILITIES).join(' or ')} for --capability but received ${capability}`);
if (values.size && values.save) usage('Leave out --size with --save: the kept figures have the usual sizes');

const [load] = loadavg();
if (load > 0.5) console.log(`The machine is not idle: its load is ${load.toFixed(1)}. Compare ratios only.`);
for (const name of chosen) parts[name]();

if (values.save) {
  const file = join(root, 'bench', 'results', `${values.save}.json`);
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : [];
  // These rows belong to parts that --only left out.
  const kept = before.filter(({ what }) => !rows.some((row) => row.what === what));
  const instructions =
    { avx2: 'AVX2', avx512: 'AVX-512' }[capability] ??
    (has('amx_bf16') ? 'AMX' : has('avx512_bf16') ? 'AVX512-BF16' : has('avx512f') ? 'AVX-512' : 'AVX2');
  const machine = `${cpus()[0]?.model.trim()}, ${threads} cores, ${instructions}`;
  const result = { machine, date: new Date().toISOString().slice(0, 10), load, rows: [...kept, ...rows] };
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
}
