// Usage: node bench/data.mjs [IMAGES] [--format jpg|png]
// Measures the CPU time of `check`, `import` and `export` on photographs of 2 megapixels, which it makes. It prints the
// milliseconds for each photograph, the ratio to decoding each photograph once with sharp, and the most memory.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import sharp from 'sharp';
import { check, exportDataset, importData } from '../dist/jobs/index.js';

const { values, positionals } = parseArgs({
  options: { format: { type: 'string', default: 'jpg' } },
  allowPositionals: true,
});
const images = Number(positionals[0] ?? 100);
const [width, height] = [1632, 1224];
const folder = mkdtempSync(join(tmpdir(), 'dualanodiff-bench-'));
const tree = join(folder, 'tree');
const annotated = join(folder, 'annotated');
const small = join(folder, 'small');

const raw = { width, height, channels: 3 };
/** Grain takes longest to make, so photographs share a few. */
const grains = await pMap(Array(8), () => {
  const noise = { type: 'gaussian', mean: 128, sigma: 24 };
  return sharp({ create: { ...raw, noise } })
    .blur(0.8)
    .raw()
    .toBuffer();
});

/** Makes a photograph of a grained surface under light from one side. */
function photograph(index) {
  const shade = Buffer.from(
    `<svg width="${width}" height="${height}"><linearGradient id="a" gradientTransform="rotate(${index * 7})"><stop stop-color="#b98"/><stop offset="1" stop-color="#567"/></linearGradient><rect width="100%" height="100%" fill="url(#a)"/></svg>`,
  );
  const grain = sharp(grains[index % grains.length], { raw });
  const shaded = grain.composite([{ input: shade, blend: 'soft-light' }]);
  return shaded.toFormat(values.format, { quality: 90 }).toBuffer();
}

/** Returns the corners of a defect: a band of some 300 x 60 pixels with a rough border. */
function corners(index) {
  const [left, top] = [200 + ((index * 131) % 1000), 200 + ((index * 71) % 700)];
  const border = Array.from({ length: 60 }, (_, i) => [left + 5 * i, top + 8 * Math.sin(i * (1 + (index % 5)))]);
  return [...border, ...border.map(([x, y]) => [x, y + 60]).reverse()].map((point) => point.map(Math.round));
}

/** Writes the same photographs as a category folder and as a folder of labelme. Half of them show a defect. */
async function writeData() {
  for (const place of ['train/good', 'test/crack', 'ground_truth/crack'])
    mkdirSync(join(tree, place), { recursive: true });
  for (const place of ['good', '.']) mkdirSync(join(annotated, place), { recursive: true });
  const write = async (_, index) => {
    const name = String(index).padStart(4, '0');
    const file = `${name}.${values.format}`;
    const bytes = await photograph(index);
    const isGood = index % 2 === 0;
    writeFileSync(join(tree, isGood ? 'train/good' : 'test/crack', file), bytes);
    writeFileSync(join(annotated, isGood ? 'good' : '.', file), bytes);
    if (isGood) return;
    const points = corners(index);
    const polygon = `<svg width="${width}" height="${height}"><rect width="100%" height="100%"/><polygon shape-rendering="crispEdges" fill="white" points="${points.join(' ')}"/></svg>`;
    const mask = sharp(Buffer.from(polygon)).removeAlpha().toColourspace('b-w').threshold(128);
    await mask.png().toFile(join(tree, 'ground_truth/crack', `${name}_mask.png`));
    const shapes = [{ label: 'crack', shape_type: 'polygon', points }];
    const label = { shapes, imagePath: file, imageData: null, imageWidth: width, imageHeight: height };
    writeFileSync(join(annotated, `${name}.json`), JSON.stringify(label));
  };
  await pMap(Array(images), write, { concurrency: 2 });
}

/** Returns the milliseconds of CPU time for each photograph. */
async function cpuTimeOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / images;
}

const files = () =>
  ['train/good', 'test/crack'].flatMap((place) =>
    readdirSync(join(tree, place)).map((name) => join(tree, place, name)),
  );
const decodeFile = async (file) => {
  await sharp(file).raw().toBuffer();
};
const decode = () => pMap(files(), decodeFile, { concurrency: 4 });
const jobs = {
  check: (data) => check({ data }),
  'import (labelme)': (data, out) => importData({ from: data === tree ? annotated : data, out }),
  'export (COCO)': (data, out) => exportDataset({ data, format: 'coco', out }),
  'export (YOLO)': (data, out) => exportDataset({ data, format: 'yolo', out }),
};
try {
  await writeData();
  // The first runs load modules and files, which is not measured.
  await decode();
  for (const name of ['train/good/0000', 'test/crack/0001']) {
    cpSync(join(tree, `${name}.${values.format}`), join(small, `${name}.${values.format}`), { recursive: true });
  }
  cpSync(join(tree, 'ground_truth/crack/0001_mask.png'), join(small, 'ground_truth/crack/0001_mask.png'));
  for (const [name, job] of Object.entries(jobs)) await job(small, join(folder, 'first', name));
  const once = await cpuTimeOf(decode);
  console.log(`decode once  ${once.toFixed(1)} ms`);
  for (const [name, job] of Object.entries(jobs)) {
    const time = await cpuTimeOf(() => job(tree, join(folder, 'out', name)));
    const memory = Math.round(process.resourceUsage().maxRSS / 1024);
    console.log(`${name}  ${time.toFixed(1)} ms  ${(time / once).toFixed(2)}x  at most ${memory} MiB until here`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
