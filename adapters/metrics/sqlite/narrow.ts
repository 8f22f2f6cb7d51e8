/**
 * Numbers in as few bytes as keep each of them exactly, in the machine's order (little-endian wherever libsql has a
 * build). Files depend on the numbers of the forms. All but `PLAIN` begin with eight bytes of their own:
 * `SAME` is [value, count]; the whole numbers of one, two or four bytes are counted from [least].
 */
const [PLAIN, SAME, BYTES, SHORTS, INTS] = [0, 1, 2, 3, 4] as const;
const ARRAYS = { [BYTES]: Uint8Array, [SHORTS]: Uint16Array, [INTS]: Uint32Array } as const;
type Width = keyof typeof ARRAYS;
const BASE_BYTES = 8;

export interface Narrowed {
  form: number;
  body: Uint8Array;
}

export function narrow(numbers: Float64Array): Narrowed {
  if (isSame(numbers)) return { form: SAME, body: bytesOf(Float64Array.of(numbers[0]!, numbers.length)) };
  const range = wholeRange(numbers);
  if (range === undefined) return { form: PLAIN, body: bytesOf(numbers) };
  const [least, span] = range;
  const form = span < 2 ** 8 ? BYTES : span < 2 ** 16 ? SHORTS : INTS;
  const steps = new ARRAYS[form](numbers.length);
  for (let i = 0; i < numbers.length; i += 1) steps[i] = numbers[i]! - least;
  const body = new Uint8Array(BASE_BYTES + steps.byteLength);
  body.set(bytesOf(Float64Array.of(least)));
  body.set(bytesOf(steps), BASE_BYTES);
  return { form, body };
}

/** Shares the memory of a plain body where that is aligned. Throws a RangeError when the bytes are damaged. */
export function widen(form: number, body: Uint8Array): Float64Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = aligned(body);
  if (form === PLAIN) return new Float64Array(buffer, byteOffset, wholeNumbers(byteLength));
  const base = new Float64Array(buffer, byteOffset, 1)[0]!;
  if (form === SAME) return new Float64Array(new Float64Array(buffer, byteOffset, 2)[1]!).fill(base);
  if (!(form in ARRAYS)) throw new RangeError(`${form} is no form of packed numbers`);
  const Steps = ARRAYS[form as Width];
  const steps = new Steps(buffer, byteOffset + BASE_BYTES, (byteLength - BASE_BYTES) / Steps.BYTES_PER_ELEMENT);
  const numbers = new Float64Array(steps.length);
  for (let i = 0; i < steps.length; i += 1) numbers[i] = base + steps[i]!;
  return numbers;
}

function bytesOf({
  buffer,
  byteOffset,
  byteLength,
}: Float64Array | Uint8Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function aligned(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return body.byteOffset % 8 === 0 ? (body as Uint8Array<ArrayBuffer>) : Uint8Array.from(body);
}

function wholeNumbers(bytes: number): number {
  if (bytes % 8 !== 0) throw new RangeError(`${bytes} bytes are no whole numbers`);
  return bytes / 8;
}

/** Never of no numbers. Tells 0 from −0, and takes NaN for the same as NaN. */
function isSame(numbers: Float64Array): boolean {
  for (let i = 1; i < numbers.length; i += 1) if (!Object.is(numbers[i], numbers[0])) return false;
  return numbers.length > 0;
}

/** The least and the span of numbers that are all whole (−0 is not) and less than 2³² apart. */
function wholeRange(numbers: Float64Array): [least: number, span: number] | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (const value of numbers) {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return undefined;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least < 2 ** 32 ? [least, most - least] : undefined;
}
