/** Reads the sample format of a TIFF file's first page, so that errors can name unsupported formats. */

const BITS_PER_SAMPLE = 258;
const PHOTOMETRIC = 262;
const SAMPLE_FORMAT = 339;

const FORMATS: Record<number, string> = {
  1: 'integers',
  2: 'signed integers',
  3: 'floats',
  5: 'complex',
  6: 'complex',
};
const SPACES: Record<number, string> = { 8: 'CIELAB', 9: 'ICCLAB', 10: 'ITULAB', 32844: 'LogL', 32845: 'LogLuv' };

/** Returns the first number of each tag of the first page. Returns undefined if the file is damaged or not a TIFF. */
function firstNumbers(bytes: Buffer): Map<number, number> | undefined {
  const order = bytes.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const little = order === 'II';
  const short = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const long = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  try {
    if (short(2) !== 42) return undefined;
    const start = long(4);
    const numbers = new Map<number, number>();
    for (let at = start + 2; at < start + 2 + 12 * short(start); at += 12) {
      const isShort = short(at + 2) === 3;
      numbers.set(short(at), isShort ? short(long(at + 4) > 2 ? long(at + 8) : at + 8) : long(at + 8));
    }
    return numbers;
  } catch (error) {
    if (error instanceof RangeError) return undefined; // An offset leads out of the file.
    throw error;
  }
}

/** Returns true if 0 means white on the first page. */
export const isWhiteZero = (bytes: Buffer): boolean => firstNumbers(bytes)?.get(PHOTOMETRIC) === 0;

/** Describes the samples, as in "64-bit floats". Returns undefined if the file is not a TIFF. */
export function tiffSamples(bytes: Buffer): string | undefined {
  const numbers = firstNumbers(bytes);
  if (!numbers) return undefined;
  const space = SPACES[numbers.get(PHOTOMETRIC) ?? 1];
  const format = FORMATS[numbers.get(SAMPLE_FORMAT) ?? 1] ?? 'samples';
  return `${numbers.get(BITS_PER_SAMPLE) ?? 1}-bit ${format}${space === undefined ? '' : ` of ${space}`}`;
}
