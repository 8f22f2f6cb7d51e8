const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `1h`, `5m`, `30s`, `1d` → seconds; `null` when the text is not a length of time. */
export function parseStep(text: string): number | null {
  const match = /^(\d{1,6})([smhd])$/.exec(text.trim());
  const unit = UNIT_SECONDS[match?.[2] ?? ''];
  const seconds = unit === undefined ? 0 : Number(match?.[1]) * unit;
  return seconds > 0 && seconds <= 604_800 ? seconds : null;
}

/** Seconds → the shortest text that `parseStep` reads: 3600 → `1h`. */
export function formatStep(seconds: number): string {
  const unit = ['d', 'h', 'm'].find((name) => seconds % (UNIT_SECONDS[name] ?? 1) === 0) ?? 's';
  return `${seconds / (UNIT_SECONDS[unit] ?? 1)}${unit}`;
}
