/** Decodes the palette indices of run-length encoded bitmaps with 4 or 8 bits per pixel. */

interface Size {
  width: number;
  height: number;
  bits: number;
}

const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const DELTA = 2;

/**
 * Returns one palette index per pixel. Pixels that no run covers have index 0. Throws if the runs are cut off or lead
 * out of the image.
 */
export function rleIndices(bytes: Uint8Array, { width, height, bits }: Size): Uint8Array {
  const indices = new Uint8Array(width * height);
  let [x, row, at] = [0, 0, 0]; // Rows are counted from the bottom.
  const next = () => {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('its runs end too early: it is cut off or damaged');
    return byte;
  };
  const writePixel = (index: number) => {
    if (row >= height || x >= width) throw new Error('a run leads out of the image: it is damaged');
    indices[(height - 1 - row) * width + x++] = index;
  };
  /** Returns pixel `i` of a run of one byte. With 4 bits, the byte holds two pixels that alternate. */
  const pixelOf = (byte: number, i: number) => (bits === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15);
  for (;;) {
    // Some files lack the end mark.
    if (at === bytes.length && (row >= height || (row === height - 1 && x === width))) return indices;
    const count = next();
    const second = next();
    if (count > 0) {
      for (let i = 0; i < count; i++) writePixel(pixelOf(second, i));
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
        writePixel(pixelOf(byte, i));
      }
      if (length % 2 === 1) next(); // Runs begin at even offsets, so an odd one has a padding byte.
    }
  }
}
