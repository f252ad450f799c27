// Compiled, never run: the same types for CommonJS.
import dualanodiff = require('dualanodiff');
import errors = require('dualanodiff/errors');
import evaluation = require('dualanodiff/evaluation');
import tensors = require('dualanodiff/tensors');

export async function use(): Promise<number> {
  const model = await dualanodiff.DualAnoDiff.load(dualanodiff.embedded.base);
  // @ts-expect-error no such class
  new dualanodiff.Nothing();
  const dataset = await dualanodiff.Dataset.open('tile');
  await evaluation.Evaluator.open(dataset);
  // @ts-expect-error a model is no dataset
  await evaluation.Evaluator.open(model);
  const error: dualanodiff.DualAnoDiffError = new errors.ModelError('no such file', 'ERR_MODEL_INVALID');
  const sampler = await dualanodiff.Sampler.create(model, `${error.code}.safetensors`);
  const batch: tensors.PairBatch = await tensors.begin(sampler, { indices: [0] });
  await batch.step();
  // @ts-expect-error the root does not export it
  new dualanodiff.PairBatch();
  return model.info.resolutionMultiple;
}
