import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum } from '@bufbuild/protobuf';

/** A value as the rules see it: durations in seconds, enums as numbers, bytes as one character a byte. */
export type Checked = number | string | boolean;

export type Json = Readonly<Record<string, unknown>>;

export type ReadValue = { ok: true; value: Checked } | { ok: false; expected: string };

const read = (value: Checked): ReadValue => ({ ok: true, value });
const refuse = (expected: string): ReadValue => ({ ok: false, expected });

const INTEGERS: ReadonlyMap<ScalarType, { min: number; max: number }> = new Map([
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32].map(
    (t) => [t, { min: -(2 ** 31), max: 2 ** 31 - 1 }] as const,
  ),
  ...[ScalarType.UINT32, ScalarType.FIXED32].map((t) => [t, { min: 0, max: 2 ** 32 - 1 }] as const),
  ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64].map(
    (t) => [t, { min: -(2 ** 63), max: 2 ** 63 }] as const,
  ),
  ...[ScalarType.UINT64, ScalarType.FIXED64].map((t) => [t, { min: 0, max: 2 ** 64 }] as const),
]);

/**
 * Reads what stands for a scalar as Envoy reads it: numbers and truth values may be written as texts, texts may not be
 * numbers.
 */
export function readScalar(type: ScalarType, value: unknown): ReadValue {
  const range = INTEGERS.get(type);
  if (range !== undefined) return readInteger(value, range);
  if (type === ScalarType.BOOL) return readBoolean(value);
  if (type === ScalarType.STRING) return typeof value === 'string' ? read(value) : refuse('a text');
  return type === ScalarType.BYTES ? readBytes(value) : readNumber(value);
}

function readBoolean(value: unknown): ReadValue {
  if (typeof value === 'boolean') return read(value);
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (['true', 't', 'yes', 'y', '1'].includes(text)) return read(true);
  return ['false', 'f', 'no', 'n', '0'].includes(text) ? read(false) : refuse('true or false');
}

function readInteger(value: unknown, { min, max }: { min: number; max: number }): ReadValue {
  const number = numberIn(value);
  if (number === undefined || !Number.isInteger(number)) return refuse('a whole number');
  return number < min || number > max ? refuse(`a whole number from ${min} to ${max}`) : read(number);
}

function readNumber(value: unknown): ReadValue {
  const number = ['NaN', 'Infinity', '-Infinity'].includes(String(value)) ? Number(value) : numberIn(value);
  return number === undefined ? refuse('a number') : read(number);
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string')
    return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function readBytes(value: unknown): ReadValue {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return refuse('bytes in base64');
  return read(Buffer.from(value, 'base64').toString('latin1'));
}

/**
 * An enum's number, by name in any case or by itself. A number that the enum does not have is for the rules to refuse.
 */
export function readEnum(type: DescEnum, value: unknown): ReadValue {
  const name = typeof value === 'string' ? value.toUpperCase() : undefined;
  const named = type.values.find((one) => one.name.toUpperCase() === name);
  if (named !== undefined) return read(named.number);
  const number = readInteger(value, { min: -(2 ** 31), max: 2 ** 31 - 1 });
  return number.ok && /^-?\d+$/.test(String(value))
    ? number
    : refuse(`one of ${type.values.map((one) => one.name).join(', ')}`);
}

const LONGEST_SECONDS = 315_576_000_000;

export function readDuration(value: unknown): ReadValue {
  const seconds = typeof value === 'string' ? durationSeconds(value) : undefined;
  if (seconds === undefined || Math.abs(seconds) > LONGEST_SECONDS) return refuse('a duration such as "0.25s"');
  return read(seconds);
}

/** `0.25s` → 0.25; `undefined` when it is none. */
export function durationSeconds(text: string): number | undefined {
  return /^-?\d+(\.\d{1,9})?s$/.test(text) ? Number(text.slice(0, -1)) : undefined;
}

/** What a field of this type holds when it is not there. */
export function defaultOf(type: ScalarType): Checked {
  if (type === ScalarType.BOOL) return false;
  return type === ScalarType.STRING || type === ScalarType.BYTES ? '' : 0;
}

export function isMapping(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
