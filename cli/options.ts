import { InvalidArgumentError, Option } from 'commander';

export function formatOption(): Option {
  return new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text');
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `2s`, `500ms`, `1m` in milliseconds; between 100 ms and a day. */
export function duration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  if (amount === '' || !(ms >= 100 && ms <= 86_400_000)) {
    throw new InvalidArgumentError('expected a time such as 500ms, 2s or 1m, at least 100ms.');
  }
  return ms;
}

/** Whole seconds from 1 to a day. */
export function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) {
    throw new InvalidArgumentError('expected whole seconds from 1 to 86400.');
  }
  return seconds;
}
