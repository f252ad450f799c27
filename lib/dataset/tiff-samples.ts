/** What a TIFF file's first page says of its samples, to name those that are not read. */

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

/** The first number of the tags of the first page; undefined where the file is no TIFF, or is damaged. */
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
    if (error instanceof RangeError) return undefined; // an offset leads out of the file
    throw error;
  }
}

/** Whether the first page's darkest number is its brightest. */
export const isWhiteZero = (bytes: Buffer): boolean => firstNumbers(bytes)?.get(PHOTOMETRIC) === 0;

/** Such as "64-bit floats"; undefined for what is no TIFF. */
export function tiffSamples(bytes: Buffer): string | undefined {
  const numbers = firstNumbers(bytes);
  if (!numbers) return undefined;
  const space = SPACES[numbers.get(PHOTOMETRIC) ?? 1];
  const format = FORMATS[numbers.get(SAMPLE_FORMAT) ?? 1] ?? 'samples';
  return `${numbers.get(BITS_PER_SAMPLE) ?? 1}-bit ${format}${space === undefined ? '' : ` of ${space}`}`;
}
