// compare_metrics.py runs this program with a JSON job on stdin and reads the engine's measures from stdout.
import { readFileSync } from 'node:fs';
import { getEngine } from '../../dist/native.js';
import { runNative } from '../../dist/run-native.js';

const { images, generated, real, parts, replicates } = JSON.parse(readFileSync(0, 'utf8'));
const engine = await getEngine();
const run = (call) => runNative({}, call);
const tensor = ({ data, shape }) => ({ data: Float32Array.from(data), shape });

const scorer = engine.createMapScorer();
for (const { set, map, mask, score, part } of images) {
  const options = { part, ...(score !== null && { score }) };
  await run((_, task) => scorer.add(set, tensor(map), Uint8Array.from(mask), options, task));
}
const sets = ['defect', 'good'];
const bootstrap = { replicates, seed: 0, level: 0.95 };
const thresholds = await run((_, task) => scorer.bestThresholds(sets, task));
const answer = {
  scores: await run((_, task) => scorer.score(sets, task)),
  thresholds,
  decisions: await run((_, task) => scorer.decide(sets, thresholds, task)),
  intervals: (await run((_, task) => scorer.bootstrap(['defect'], 'good', bootstrap, task))).together,
  features: await run((_, task) => engine.compareFeatures(tensor(generated), tensor(real), parts, task)),
};
process.stdout.write(JSON.stringify(answer));
