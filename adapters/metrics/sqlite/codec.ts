import { deflateRawSync, inflateRawSync } from 'node:zlib';

const [PLAIN, DEFLATED] = [0, 1];
/** An hour of one value a second is 28,800 bytes: it comes out in one piece. */
const CHUNK_BYTES = 32_768;
const SMALL_BYTES = 64;

/**
 * The numbers as eight bytes each in the machine's order (little-endian wherever libsql has a build), deflated where
 * that saves a quarter: what does not shrink is quicker to read as it is. Then one byte for the form: it stands last, so
 * that plain numbers are read in place.
 */
export function packNumbers(numbers: Float64Array): Buffer {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  if (bytes.length > SMALL_BYTES) {
    const deflated = deflateRawSync(bytes, { level: 1, chunkSize: CHUNK_BYTES });
    if (deflated.length < bytes.length * 0.75) return Buffer.concat([deflated, Buffer.of(DEFLATED)]);
  }
  return Buffer.concat([bytes, Buffer.of(PLAIN)]);
}

/** Throws what zlib throws, or a RangeError, when the bytes are damaged. */
export function unpackNumbers(packed: ArrayBuffer): Float64Array {
  const length = packed.byteLength - 1;
  if (new Uint8Array(packed, length)[0] === PLAIN) return new Float64Array(packed, 0, wholeNumbers(length));
  const { buffer, byteOffset, byteLength } = inflateRawSync(new Uint8Array(packed, 0, length), {
    chunkSize: CHUNK_BYTES,
  });
  if (byteOffset % 8 === 0) return new Float64Array(buffer, byteOffset, wholeNumbers(byteLength));
  return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength), 0, wholeNumbers(byteLength));
}

/** Times ascending: their differences repeat, so they shrink to almost nothing. */
export function packTimes(times: Float64Array): Buffer {
  return packNumbers(times.map((at, i) => (i === 0 ? at : at - (times[i - 1] ?? 0))));
}

export function unpackTimes(packed: ArrayBuffer): Float64Array {
  const times = unpackNumbers(packed);
  for (let i = 1; i < times.length; i += 1) times[i] = (times[i] ?? 0) + (times[i - 1] ?? 0);
  return times;
}

function wholeNumbers(bytes: number): number {
  if (bytes % 8 !== 0) throw new RangeError(`${bytes} bytes are no whole numbers`);
  return bytes / 8;
}
