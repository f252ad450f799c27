// Compiled, never run: the same types for CommonJS.
import dualanodiff = require('dualanodiff');

export async function use(): Promise<number> {
  const model = await dualanodiff.DualAnoDiff.load(dualanodiff.embedded.base);
  // @ts-expect-error no such class
  new dualanodiff.Nothing();
  return model.info.resolutionMultiple;
}
