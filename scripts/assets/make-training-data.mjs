// Writes what the embedded models are trained on: node make-training-data.mjs OUT.safetensors COUNT [WORKERS]
// Picture n depends only on n, so that the file does not depend on the number of worker threads.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { makeRandom } from './random.mjs';
import { drawTrainingPicture } from './training-picture.mjs';

const SIZE = 160;
const SEED = 7;
const PIXELS = SIZE * SIZE;

/** Draws pictures first, first + step, ... into the shared arrays, and posts the captions of each. */
async function drawShare({ count, first, step, images, masks }) {
  const [imageBytes, maskBytes] = [new Uint8Array(images), new Uint8Array(masks)];
  for (let n = first; n < count; n += step) {
    const random = makeRandom(Math.imul(n + 1, 0x9e3779b1) ^ SEED);
    const { image, mask, caption, part } = await drawTrainingPicture(random, SIZE);
    imageBytes.set(image, n * PIXELS * 3);
    maskBytes.set(mask, n * PIXELS);
    parentPort.postMessage({ n, caption, part });
  }
}

/** Writes tensors [name, dtype, shape, typed array] as safetensors; the file appears whole or not at all. */
function writeSafetensors(path, tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, dtype, shape, values] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(`${path}.part`, 'w');
  for (const bytes of [length, text, ...tensors.map(([, , , values]) => new Uint8Array(values.buffer))]) {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 26));
  }
  closeSync(file);
  renameSync(`${path}.part`, path);
}

async function main() {
  const [out, countText, workersText = '2'] = process.argv.slice(2);
  const [count, workers] = [Number(countText), Number(workersText)];
  if (!out || !(count > 0) || !(workers > 0)) {
    throw new Error('usage: make-training-data.mjs OUT.safetensors COUNT [WORKERS]');
  }
  const images = new SharedArrayBuffer(count * PIXELS * 3);
  const masks = new SharedArrayBuffer(count * PIXELS);
  const texts = Array(count);
  let drawn = 0;
  const share = (first) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { count, first, step: workers, images, masks },
      });
      worker.on('message', ({ n, ...text }) => {
        texts[n] = text;
        drawn++;
        if (drawn % 1000 === 0) console.log(`${drawn}/${count} pictures`);
      });
      worker.on('error', reject).on('exit', resolve);
    });
  await Promise.all(Array.from({ length: workers }, (_, first) => share(first)));

  const captions = [...new Set(texts.flatMap(({ caption, part }) => (part ? [caption, part] : [caption])))];
  const idOf = new Map(captions.map((caption, id) => [caption, BigInt(id)]));
  const captionIds = BigInt64Array.from(texts, ({ caption }) => idOf.get(caption));
  const partIds = BigInt64Array.from(texts, ({ part }) => (part ? idOf.get(part) : -1n));
  const tensors = [
    ['images', 'U8', [count, SIZE, SIZE, 3], new Uint8Array(images)],
    ['masks', 'U8', [count, SIZE, SIZE], new Uint8Array(masks)],
    ['caption_ids', 'I64', [count], captionIds],
    ['part_ids', 'I64', [count], partIds],
  ];
  writeSafetensors(out, tensors, { captions: JSON.stringify(captions) });
  console.log(`${count} pictures, ${captions.length} captions -> ${out}`);
}

await (isMainThread ? main() : drawShare(workerData));
