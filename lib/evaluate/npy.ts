/** Reads arrays of the format .npy, in which NumPy keeps one array. */
import { DatasetError } from '../core/errors.js';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/** A type of numbers: its size in bytes, and how one is read. */
interface NumberType {
  bytes: number;
  read: (view: DataView, at: number, little: boolean) => number;
}

const TYPES: Record<string, NumberType> = {
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
};

/** The largest number of values that an array may have, as for images. */
const MAX_VALUES = 2 ** 28;

export interface NpyArray {
  /** In row-major order. */
  data: Float32Array;
  shape: number[];
}

/** Returns the header's text and the place where the numbers begin. Returns undefined if the file is too short. */
function headerOf(bytes: Buffer): { text: string; start: number } | undefined {
  const from = bytes[6] === 1 ? 10 : 12; // Version 1 has a length of two bytes, and later ones have four.
  if (bytes.length < from) return undefined;
  const start = from + (from === 10 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  return bytes.length < start ? undefined : { text: bytes.toString('latin1', from, start), start };
}

/**
 * Reads an array. Throws ERR_DATASET_INVALID with `label` if the bytes are not those of an array, if they are cut off,
 * or if the array has other numbers than integers and floats of 32 or 64 bits.
 */
export function readNpy(bytes: Buffer, label: string): NpyArray {
  const refuse = (what: string): never => {
    throw new DatasetError(`${label} ${what}`);
  };
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) refuse('is not an array of NumPy (.npy)');
  const header = headerOf(bytes) ?? refuse('is cut off: expected the header of an array');
  const descr = /'descr':\s*'([<>|=])(\w+)'/.exec(header.text);
  const order = /'fortran_order':\s*(True|False)/.exec(header.text)?.[1];
  const extents = /'shape':\s*\(([\d\s,]*)\)/.exec(header.text)?.[1];
  if (order === undefined || extents === undefined) refuse('has a header that cannot be read');
  const type = TYPES[descr?.[2] ?? ''];
  if (descr === null || type === undefined) {
    return refuse(`holds ${descr?.[2] ?? 'objects'}: save it as float32, float64 or integers of at most 32 bits`);
  }
  const shape = (extents as string).split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count > MAX_VALUES) refuse(`claims ${shape.join(' x ')} numbers, more than the limit of ${MAX_VALUES}`);
  if (bytes.length - header.start !== count * type.bytes) {
    refuse(
      `has ${bytes.length - header.start} bytes of numbers: expected ${count * type.bytes} for ${shape.join(' x ')}`,
    );
  }
  if (order === 'True' && shape.filter((extent) => extent > 1).length > 1) {
    refuse('is in column-major order: save it with numpy.ascontiguousarray');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.start);
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, i * type.bytes, descr[1] !== '>');
  return { data, shape };
}
