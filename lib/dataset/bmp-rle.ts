/** Palette indices of run-length encoded bitmaps, 4 or 8 bits. */

interface Size {
  width: number;
  height: number;
  bits: number;
}

const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const DELTA = 2;

/** Pixels that no run reaches have colour 0. Throws where the runs end before the picture does, or leave it. */
export function rleIndices(bytes: Uint8Array, { width, height, bits }: Size): Uint8Array {
  const indices = new Uint8Array(width * height);
  let [x, row, at] = [0, 0, 0]; // rows from the bottom on
  const next = () => {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('its runs end before the picture does: it is cut off or damaged');
    return byte;
  };
  const put = (index: number) => {
    if (row >= height || x >= width) throw new Error('a run leaves the picture: it is damaged');
    indices[(height - 1 - row) * width + x++] = index;
  };
  /** Pixel `i` of a run whose bytes repeat `pattern`. */
  const pixelOf = (byte: number, i: number) => (bits === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15);
  for (;;) {
    if (at === bytes.length && (row >= height || (row === height - 1 && x === width))) return indices; // no end mark
    const count = next();
    const second = next();
    if (count > 0) {
      for (let i = 0; i < count; i++) put(pixelOf(second, i));
    } else if (second === END_OF_LINE) {
      x = 0;
      row++;
    } else if (second === END_OF_BITMAP) {
      return indices;
    } else if (second === DELTA) {
      x += next();
      row += next();
    } else {
      const length = bits === 8 ? second : Math.ceil(second / 2);
      let byte = 0;
      for (let i = 0; i < second; i++) {
        if (bits === 8 || i % 2 === 0) byte = next();
        put(pixelOf(byte, i));
      }
      if (length % 2 === 1) next(); // runs begin at even places
    }
  }
}
