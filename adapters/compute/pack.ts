import { types } from 'node:util';

/** Shorter lists are not worth a buffer of their own. */
const LEAST_NUMBERS = 16;

/** Plain data whose long lists of numbers are typed arrays; `buffers` are theirs, to be moved instead of copied. */
export interface Packed {
  data: unknown;
  buffers: ArrayBuffer[];
}

/**
 * Plain data for its way to another thread. Lists of numbers would arrive as lists of boxed numbers, three times as
 * large and slower to compute with. Exact: every number stays bit by bit what it was.
 */
export function pack(value: unknown): Packed {
  const buffers: ArrayBuffer[] = [];
  const packed = (from: unknown): unknown => {
    if (isLongNumbers(from)) {
      const array = Float64Array.from(from);
      buffers.push(array.buffer);
      return array;
    }
    if (Array.isArray(from)) return from.map(packed);
    return isPlain(from) ? mapped(from, packed) : from;
  };
  return { data: packed(value), buffers };
}

/** The inverse of `pack`. */
export function unpack(value: unknown): unknown {
  // Not instanceof: a list may come from another realm.
  if (types.isFloat64Array(value)) return Array.from(value);
  if (Array.isArray(value)) return value.map(unpack);
  return isPlain(value) ? mapped(value, unpack) : value;
}

function isLongNumbers(list: unknown): list is readonly number[] {
  return Array.isArray(list) && list.length >= LEAST_NUMBERS && list.every((entry) => typeof entry === 'number');
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function mapped(from: Record<string, unknown>, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value)]));
}
