import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { narrow, widen } from './narrow.js';

/** An hour of one value a second is 28,800 bytes: it comes out in one piece. */
const CHUNK_BYTES = 32_768;
const SMALL_BYTES = 64;
/** Numbers of which fewer than `DISTINCT` of `SAMPLES` differ repeat enough for deflate to be worth its time. */
const [SAMPLES, DISTINCT] = [256, 232];
/** At the end of a packed body: its checksum, its form, and whether it is deflated. */
const TRAILER_BYTES = 6;

/**
 * The numbers in the narrowest form that keeps each exactly, deflated where that halves them: what does not shrink is
 * quicker to read as it is. The checksum and the form stand last, so that plain numbers are read in place.
 */
export function packNumbers(numbers: Float64Array): Buffer {
  const { form, body } = narrow(numbers);
  if (body.length <= SMALL_BYTES || !repeats(numbers)) return sealed(body, form, false);
  const deflated = deflateRawSync(body, { level: 1, chunkSize: CHUNK_BYTES });
  return deflated.length < body.length / 2 ? sealed(deflated, form, true) : sealed(body, form, false);
}

/** Throws what zlib throws, or a RangeError, when the bytes are damaged. */
export function unpackNumbers(packed: ArrayBuffer): Float64Array {
  const length = packed.byteLength - TRAILER_BYTES;
  if (length < 0) throw new RangeError(`${packed.byteLength} bytes are too few for a packed body`);
  const trailer = new DataView(packed, length);
  const body = new Uint8Array(packed, 0, length);
  const [form, deflated] = [trailer.getUint8(4), trailer.getUint8(5)];
  checkSum(body, form * 2 + deflated, trailer.getUint32(0, true));
  return widen(form, deflated === 0 ? body : inflateRawSync(body, { chunkSize: CHUNK_BYTES }));
}

/** Throws a RangeError. `seed` stands for what is known of the bytes from elsewhere. */
export function checkSum(bytes: Uint8Array, seed: number, expected: number): void {
  const found = crc32(bytes, seed);
  if (found !== expected) throw new RangeError(`${bytes.length} bytes do not match their checksum: bits have changed`);
}

/** Times ascending: the first, and their differences, which repeat. */
export function packTimes(times: Float64Array): Buffer {
  const steps = times.map((at, i) => (i === 0 ? 0 : at - times[i - 1]!));
  // A step of nothing would widen what is otherwise one step repeated.
  steps[0] = times.length > 1 ? steps[1]! : 0;
  const begin = Float64Array.of(times[0] ?? 0);
  return Buffer.concat([packNumbers(steps), Buffer.from(Float64Array.of(begin[0]!, crc32(begin, 0)).buffer)]);
}

export function unpackTimes(packed: ArrayBuffer): Float64Array {
  const length = packed.byteLength - 16;
  if (length < 0) throw new RangeError(`${packed.byteLength} bytes are too few for times`);
  const times = unpackNumbers(packed.slice(0, length));
  const begin = new DataView(packed, length);
  checkSum(new Uint8Array(packed, length, 8), 0, begin.getFloat64(8, true));
  let at = begin.getFloat64(0, true);
  times[0] = at;
  for (let i = 1; i < times.length; i += 1) times[i] = at += times[i]!;
  return times;
}

function sealed(body: Uint8Array, form: number, deflated: boolean): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(crc32(body, form * 2 + Number(deflated)), 0);
  trailer.set([form, Number(deflated)], 4);
  return Buffer.concat([body, trailer]);
}

function repeats(numbers: Float64Array): boolean {
  const seen = new Set<number>();
  const step = Math.max(1, Math.floor(numbers.length / SAMPLES));
  for (let i = 0; i < SAMPLES * step && i < numbers.length; i += step) seen.add(numbers[i]!);
  return seen.size < DISTINCT;
}
