/** Small pictures with known pixels, in the forms that image files hold. */
import sharp from 'sharp';

export const [width, height] = [16, 12];
export const size = { width, height };
export const count = width * height;
export const at = <T>(make: (x: number, y: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i % width, Math.floor(i / width)));

/** The pictures that the files hold. */
export const grey = at((x, y) => (x * 16 + y * 3) % 256);
export const rgb = at((x, y) => [x * 16 + y, y * 21, 255 - x * 15]).flat();
export const alpha = at((x) => (x < 4 ? 0 : 255));
export const inGrey = (levels: readonly number[]) => levels.flatMap((level) => [level, level, level]);
export const interleaved = (channels: number, more: readonly number[]) =>
  at((x, y) => y * width + x).flatMap((i) => [
    ...(channels === 1 ? [grey[i] as number] : rgb.slice(3 * i, 3 * i + 3)),
    more[i] as number,
  ]);
/** Levels of fewer bits, and what they are of 255. */
export const few = (bits: number) => grey.map((level) => level >> (8 - bits));
export const spread = (bits: number) => inGrey(few(bits).map((level) => Math.round((level * 255) / (2 ** bits - 1))));
export const packed = (bits: number) =>
  Uint8Array.from({ length: (count * bits) / 8 }, (_, i) =>
    few(bits)
      .slice((i * 8) / bits, ((i + 1) * 8) / bits)
      .reduce((byte, level) => (byte << bits) | level, 0),
  );
export const colours = (bits: number) =>
  Array.from(
    { length: 2 ** bits },
    (_, i) => [(i * 37 + 90) % 256, 255 - i * (bits === 8 ? 1 : 9), (i * 11) % 256] as const,
  );
export const palette = (bits: number) => few(bits).flatMap((index) => colours(bits)[index] as readonly number[]);
export const wide = (levels: readonly number[]) => levels.map((level) => level * 257);
export const camera = (bits: number) => grey.map((level) => Math.round((level * (2 ** bits - 1)) / 255));

export const source = (data: readonly number[] = rgb, channels: 1 | 3 | 4 = 3) => {
  const raw = sharp(Buffer.from(data), { raw: { ...size, channels } });
  return channels === 1 ? raw.toColourspace('b-w') : raw;
};
