// compare_evaluation.py runs this program with a JSON job on stdin and reads the answer of the evaluation's networks from
// stdout.
import { readFileSync } from 'node:fs';
import { getEngine } from '../../dist/native.js';
import { runNative } from '../../dist/run-native.js';

const job = JSON.parse(readFileSync(0, 'utf8'));
const engine = await getEngine();
const run = (call) => runNative({}, call);

const poolOf = ({ images, masks, count, side }) => {
  const pool = engine.createPool(side, side);
  pool.append(Uint8Array.from(images), masks ? Uint8Array.from(masks) : undefined, count);
  return pool;
};

const answer = {};
if (job.detector) {
  const { options, kept } = job.detector;
  const { good, ...defects } = job.pool;
  const learner = await run((_, task) =>
    engine.createDetector(
      { detector: 'unet', backbone: '', backboneFile: '', ...options },
      poolOf(good),
      poolOf(defects),
      [0],
      [0],
      undefined,
      task,
    ),
  );
  const keep = (step) => kept[step] && run((_, task) => learner.saveCheckpoint(kept[step], {}, task));
  answer.losses = [];
  for (let i = 0; i < options.iterations; i++) {
    await keep(i);
    answer.losses.push((await run((_, task) => learner.step(task))).loss);
  }
  await keep(options.iterations);
}
if (job.classifier) {
  const { options, classes, backbone, types, steps, checkpoint } = job.classifier;
  const defects = poolOf(job.pool);
  const groups = types.map(() => 0);
  const learner = await run((_, task) =>
    engine.createClassifier(options, defects, defects, groups, types, classes, backbone, task),
  );
  for (let i = 0; i < steps; i++) await run((_, task) => learner.step(task));
  await run((_, task) => learner.saveCheckpoint(checkpoint, {}, task));
  const shape = { count: job.pool.count, width: job.pool.side, height: job.pool.side };
  const images = Uint8Array.from(job.pool.images);
  answer.probabilities = [...(await run((_, task) => learner.predict(images, shape, task))).data];
}
if (job.inception)
  answer.inception = await run((_, task) => engine.inceptionScore(poolOf(job.pool), job.inception, 'cpu', task));
if (job.features) {
  const { network, weights, generated, real } = job.features;
  const featuresOf = (pool) => run((_, task) => engine.imageFeatures(poolOf(pool), network, weights, 'cpu', task));
  answer.features = [...(await featuresOf(job.pool)).data];
  const parts = Array.from({ length: real.count }, (_, i) => i);
  const [made, known] = [await featuresOf(generated), await featuresOf(real)];
  const compared = await run((_, task) => engine.compareFeatures(made, known, parts, task));
  answer.kernelDistance = compared.kernelDistance;
}
if (job.lpips) {
  const { backbone, linear, real } = job.lpips;
  const pools = [poolOf(job.pool), poolOf(real)];
  answer.icLpips = await run((_, task) => engine.icLpips(...pools, backbone, linear, 'cpu', task));
}
if (job.scores) {
  const { maps, masks, count, side } = job.scores;
  const scorer = engine.createMapScorer();
  for (let i = 0; i < count; i++) {
    const of = (values) => values.slice(i * side * side, (i + 1) * side * side);
    const map = { data: Float32Array.from(of(maps)), shape: [side, side] };
    await run((_, task) => scorer.add('tested', map, Uint8Array.from(of(masks)), { part: i }, task));
  }
  answer.scores = await run((_, task) => scorer.score(['tested'], task));
}
process.stdout.write(JSON.stringify(answer));
