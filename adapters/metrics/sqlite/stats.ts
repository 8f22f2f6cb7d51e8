import { crc32 } from 'node:zlib';
import { MINUTES, STATS } from './buckets.js';
import { checkSum } from './codec.js';
import { narrow, widen } from './narrow.js';

/** Columns of a rollup are numbers field · 8 + statistic, so that the directory is one number and the form each. */
const STATS_BITS = 8;
/** Directory: [columns, then (field and statistic, form, bytes) each]; the bodies follow, each at a multiple of 8. */
const [HEAD_NUMBERS, ENTRY_NUMBERS] = [1, 3];

/**
 * The statistics of an hour by field, each of the six packed for itself: most are whole numbers or the same in every
 * minute, which takes a fraction of their bytes without deflate. The checksum is the last number.
 */
export function packStats(stats: ReadonlyMap<number, Float64Array>): Buffer {
  const directory: number[] = [stats.size * STATS];
  const bodies: Uint8Array[] = [];
  for (const [field, numbers] of stats) {
    for (let i = 0; i < STATS; i += 1) {
      const { form, body } = narrow(numbers.subarray(i * MINUTES, (i + 1) * MINUTES));
      directory.push(field * STATS_BITS + i, form, body.length);
      bodies.push(body, new Uint8Array(padding(body.length)));
    }
  }
  const packed = Buffer.concat([Buffer.from(Float64Array.from(directory).buffer), ...bodies]);
  return Buffer.concat([packed, Buffer.from(Float64Array.of(crc32(packed, 0)).buffer)]);
}

/** Only the fields asked for. Throws a RangeError when the bytes are damaged. */
export function unpackStats(packed: ArrayBuffer, wanted?: ReadonlySet<number>): Map<number, Float64Array> {
  const length = packed.byteLength - 8;
  if (length < 8 || length % 8 !== 0) throw new RangeError(`${packed.byteLength} bytes are no rollup`);
  const numbers = new Float64Array(packed);
  checkSum(new Uint8Array(packed, 0, length), 0, numbers.at(-1)!);
  const stats = new Map<number, Float64Array>();
  let offset = (HEAD_NUMBERS + numbers[0]! * ENTRY_NUMBERS) * 8;
  for (let column = 0; column < numbers[0]!; column += 1) {
    const entry = HEAD_NUMBERS + column * ENTRY_NUMBERS;
    const [key, form, bytes] = [numbers[entry]!, numbers[entry + 1]!, numbers[entry + 2]!];
    const field = Math.floor(key / STATS_BITS);
    if (wanted?.has(field) !== false) {
      let of = stats.get(field);
      if (of === undefined) stats.set(field, (of = new Float64Array(MINUTES * STATS)));
      of.set(widen(form, new Uint8Array(packed, offset, bytes)), (key % STATS_BITS) * MINUTES);
    }
    offset += bytes + padding(bytes);
  }
  return stats;
}

function padding(bytes: number): number {
  return -bytes & 7;
}
