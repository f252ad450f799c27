// These functions do to a picture what lens, light, sensor and file do.
import sharp from 'sharp';
import { clamp } from './coverage.mjs';
import { valueNoise } from './noise.mjs';

const GREY_SHARE = 0.55;
const JPEG_SHARE = 0.35;

/** A Gaussian blur of standard deviation `sigma` pixels, in place. */
export function blur(pixels, size, sigma) {
  const radius = Math.ceil(2.5 * sigma);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-((k - radius) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, v) => sum + v, 0);
  const line = new Float32Array(size);
  const pass = (start, step) => {
    for (let k = 0; k < size; k++) {
      let sum = 0;
      for (let j = -radius; j <= radius; j++) {
        const at = Math.min(size - 1, Math.max(0, k + j));
        sum += kernel[j + radius] * pixels[start + at * step];
      }
      line[k] = sum / total;
    }
    for (let k = 0; k < size; k++) pixels[start + k * step] = line[k];
  };
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < size; row++) pass(3 * row * size + c, 3);
    for (let column = 0; column < size; column++) pass(3 * column + c, 3 * size);
  }
}

/** Luminance (ITU-R BT.601) in all three channels, in place. */
export function desaturate(pixels) {
  for (let i = 0; i < pixels.length; i += 3) {
    pixels.fill(0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2], i, i + 3);
  }
}

/** Uneven light: a slope, a spot, and darker corners, as a factor. */
function illuminate(random, pixels, size) {
  const gain = Math.exp(random.range(-0.5, 0.35));
  const slope = random.chance(0.6) ? random.range(0, 0.45) : 0;
  const angle = random.range(0, 2 * Math.PI);
  const vignette = random.chance(0.4) ? random.range(0, 0.5) : 0;
  const spot = random.chance(0.15) ? random.range(0.2, 0.7) : 0;
  const [sx, sy, spread] = [random.range(0, size), random.range(0, size), random.range(0.15, 0.5) * size];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [u, v] = [x / size - 0.5, y / size - 0.5];
      const light =
        gain *
        (1 + slope * (u * Math.cos(angle) + v * Math.sin(angle))) *
        (1 - vignette * (u * u + v * v)) *
        (1 + spot * Math.exp(-((x - sx) ** 2 + (y - sy) ** 2) / (2 * spread * spread)));
      for (let c = 0; c < 3; c++) pixels[3 * (y * size + x) + c] *= light;
    }
  }
}

function addGrain(random, pixels, size, grey) {
  const amount = 0.003 + 0.025 * random.next() ** 2;
  const correlated = random.chance(0.4) ? random.range(0, 0.03) : 0;
  const coarse = valueNoise(random, size, 2.2, 2.2);
  for (let i = 0; i < size * size; i++) {
    const shared = correlated * coarse[i] + amount * random.normal();
    for (let c = 0; c < 3; c++) pixels[3 * i + c] += grey ? shared : shared + 0.4 * amount * (random.next() - 0.5);
  }
}

/** Takes the photograph of `pixels` (size * size * 3 in [0, 1], changed in place). Returns a Buffer of RGB bytes. */
export async function photograph(random, pixels, size) {
  const grey = random.chance(GREY_SHARE);
  if (grey) desaturate(pixels);
  illuminate(random, pixels, size);
  const sigma = random.chance(0.5) ? random.range(0.4, 0.7) : random.range(0.7, 1.6);
  if (random.chance(0.65)) blur(pixels, size, sigma);
  addGrain(random, pixels, size, grey);
  const bytes = Buffer.from(Uint8Array.from(pixels, (v) => Math.round(255 * clamp(v))));
  if (!random.chance(JPEG_SHARE)) return bytes;
  const raw = { raw: { width: size, height: size, channels: 3 } };
  const file = await sharp(bytes, raw)
    .jpeg({ quality: random.integer(60, 95) })
    .toBuffer();
  const decoded = await sharp(file).toColourspace('srgb').removeAlpha().raw().toBuffer();
  if (grey) for (let i = 0; i < decoded.length; i += 3) decoded.fill(decoded[i], i, i + 3);
  return decoded;
}
