// Pairs of one seed from several threads. Pair k is the same whichever thread draws it, so they only share out the indices.
// node examples/worker-pool.mjs ADAPTER OUT COUNT WORKERS
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DualAnoDiff, RawImage } from 'dualanodiff';

async function draw({ adapter, count, indices }) {
  const model = await DualAnoDiff.load();
  const others = new Set(Array.from({ length: count }, (_, index) => index).filter((index) => !indices.includes(index)));
  const options = { count, steps: 10, mask: [], skip: others, batchSize: 1 };
  for await (const { index, image } of model.generate(adapter, options)) parentPort.postMessage({ index, image });
  await model.dispose();
}

async function share([adapter, out, count = '4', workers = '2']) {
  await mkdir(out, { recursive: true });
  const indices = Array.from({ length: Number(count) }, (_, index) => index);
  const one = (part) =>
    new Promise((done, fail) => {
      const mine = indices.filter((index) => index % Number(workers) === part);
      const worker = new Worker(new URL(import.meta.url), { workerData: { adapter, count: Number(count), indices: mine } });
      worker.on('message', async ({ index, image }) => {
        // A message between threads carries the pixels without their class.
        await new RawImage(image).toSharp().toFile(join(out, `${index}.png`));
        console.log(`pair ${index} from worker ${part}`);
      });
      worker.once('error', fail);
      worker.once('exit', done);
    });
  await Promise.all(Array.from({ length: Number(workers) }, (_, part) => one(part)));
}

await (isMainThread ? share(process.argv.slice(2)) : draw(workerData));
