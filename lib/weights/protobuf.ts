/** One field of a protobuf message. A field holds a number, or the bytes of a text, a message or packed values. */
export interface Field {
  number: number;
  value: number | Uint8Array;
}

/** A 64-bit number has at most this many bytes of seven bits each. */
const MAX_VARINT_BYTES = 10;

/**
 * Reads the varint at `at` and returns it with the position behind it. Numbers beyond 2^53 are rounded. Throws an Error
 * if the bytes end first.
 */
function readVarint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Error('it ends within a number');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new Error(`the number at byte ${at} has more than 64 bits`);
}

/** Returns the numbers of a packed field. */
export function packedNumbers(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, next] = readVarint(bytes, at);
    numbers.push(value);
    at = next;
  }
  return numbers;
}

/**
 * Yields the fields of a protobuf message. The bytes of a field share memory with the message. Fixed numbers are yielded
 * as their bytes. Throws an Error for a message that is cut off or is no protobuf message.
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const [key, start] = readVarint(message, at);
    const wireType = key % 8;
    const number = Math.floor(key / 8);
    if (wireType === 0) {
      const [value, next] = readVarint(message, start);
      yield { number, value };
      at = next;
      continue;
    }
    let length: number;
    let from = start;
    if (wireType === 1) length = 8;
    else if (wireType === 5) length = 4;
    else if (wireType === 2) [length, from] = readVarint(message, start);
    else throw new Error(`the field at byte ${at} has the unknown kind ${wireType}`);
    if (length > message.length - from)
      throw new Error(`a field claims ${length} bytes where ${message.length - from} are left`);
    yield { number, value: message.subarray(from, from + length) };
    at = from + length;
  }
}
