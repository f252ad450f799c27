// Usage: node bench/start.mjs [REPS] [--profile]
// Measures the time from the start of a process to its first sampling step. It also measures the time to read the bytes
// of the same files, which is a lower bound. The base has the size of Stable Diffusion 1.5 in half precision, with
// random weights. It is written to the temporary folder and takes 2.7 GB with its adapter.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { profile: { type: 'boolean' } } });
const reps = Number(positionals[0] ?? 3);

/** Starts a new process. It prints the seconds from its start to each stage. */
function start({ base, adapter }) {
  const script = `
    import { DualAnoDiff, Sampler } from ${JSON.stringify(join(root, 'dist', 'index.js'))};
    import { begin } from ${JSON.stringify(join(root, 'dist', 'tensors.js'))};
    import { startProfile, stopProfile } from ${JSON.stringify(join(root, 'dist', 'profile.js'))};
    const profiles = ${values.profile === true};
    if (profiles) await startProfile();
    const since = [];
    const mark = (what) => since.push([what, performance.now() / 1000]);
    mark('node');
    const model = await DualAnoDiff.load(${JSON.stringify(base)});
    mark('base');
    const sampler = await Sampler.create(model, ${JSON.stringify(adapter)});
    mark('adapter');
    const batch = await begin(sampler, { indices: [0], resolution: 512 });
    mark('batch');
    console.log(JSON.stringify({ since: Object.fromEntries(since), ...(profiles && { profile: await stopProfile() }) }));
    process.exit(0);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(stdout);
}

function read(files) {
  const begin = performance.now();
  const buffer = Buffer.alloc(1 << 24);
  for (const path of files) {
    const file = openSync(path, 'r');
    while (readSync(file, buffer) > 0);
    closeSync(file);
  }
  return (performance.now() - begin) / 1000;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const folder = mkdtempSync(join(tmpdir(), 'dualanodiff-start-'));
try {
  const bench = join(root, 'build', 'dualanodiff-bench');
  const made = spawnSync(bench, ['write-stand-in', '--base', join(root, 'assets', 'base'), '--out', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (made.status !== 0) process.exit(1);
  const paths = JSON.parse(made.stdout);
  const inBase = readdirSync(paths.base, { recursive: true }).map((name) => join(paths.base, name));
  const files = [...inBase, paths.adapter].filter((path) => statSync(path).isFile());
  start(paths); // From here on, the files are in the page cache for both measurements.
  const runs = [];
  for (let i = 0; i < reps; i++) runs.push({ read: read(files), ...start(paths) });
  const startSeconds = median(runs.map(({ since }) => since.batch));
  const readSeconds = median(runs.map((run) => run.read));
  const result = {
    what: 'start',
    start_s: startSeconds,
    read_s: readSeconds,
    beyond_read_s: startSeconds - readSeconds,
    mib: Math.round(files.reduce((sum, path) => sum + statSync(path).size, 0) / 2 ** 20),
    since: runs.at(-1).since,
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    ...(values.profile && {
      stages: runs.at(-1).profile.stages,
      operations: runs.at(-1).profile.operations.slice(0, 15),
    }),
  };
  console.log(JSON.stringify(result, undefined, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
