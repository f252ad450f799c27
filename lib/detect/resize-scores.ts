/** Resizes maps of any range. The decoder of images would clamp their scores. */

/** The scores of an image's pixels, in row-major order and of any range. Higher is more anomalous. */
export interface ScoreMap {
  data: Float32Array;
  width: number;
  height: number;
}

/** The part of the old pixels in one new pixel, along one side. */
interface Share {
  first: number;
  weights: number[];
}

/** Returns the shares of a triangle that is as wide as two new pixels, or two old ones if those are larger. */
function sharesOf(from: number, to: number): Share[] {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.ceil(centre - reach - 0.5));
    const last = Math.min(from - 1, Math.floor(centre + reach - 0.5));
    const weights = Array.from({ length: last - first + 1 }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resizes a map bilinearly, with the mean over more pixels where it shrinks. */
export function resizeScores({ data, width, height }: ScoreMap, size: { width: number; height: number }): ScoreMap {
  if (width === size.width && height === size.height) return { data, width, height };
  const columns = sharesOf(width, size.width);
  const rows = sharesOf(height, size.height);
  const narrow = new Float64Array(size.width * height);
  for (let y = 0; y < height; y++) {
    for (const [x, { first, weights }] of columns.entries()) {
      let sum = 0;
      for (const [k, weight] of weights.entries()) sum += weight * (data[y * width + first + k] as number);
      narrow[y * size.width + x] = sum;
    }
  }
  const resized = new Float32Array(size.width * size.height);
  for (const [y, { first, weights }] of rows.entries()) {
    for (let x = 0; x < size.width; x++) {
      let sum = 0;
      for (const [k, weight] of weights.entries()) sum += weight * (narrow[(first + k) * size.width + x] as number);
      resized[y * size.width + x] = sum;
    }
  }
  return { data: resized, width: size.width, height: size.height };
}
