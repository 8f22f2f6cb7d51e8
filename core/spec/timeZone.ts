/**
 * How far a place's clocks are ahead of UTC. A wall time is what those clocks show, counted in milliseconds as if it
 * were UTC: 2026-03-01T08:00 in Berlin and in New York are the same wall time and two moments.
 */
export interface TimeZone {
  name: string;
  offsetMs(utcMs: number): number;
}

export const UTC: TimeZone = { name: 'UTC', offsetMs: () => 0 };

const DAY_MS = 86_400_000;
const LAST_MS = 8.64e15 - 2 * DAY_MS;

/** A zone of the IANA database (`Europe/Berlin`), or `null`. Offsets as `+01:00` are refused: they know no summer time. */
export function timeZoneNamed(name: string): TimeZone | null {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return null;
  if (/^(?:UTC|Etc\/UTC|GMT)$/i.test(name)) return UTC;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
  return { name, offsetMs: (utcMs) => offsetBy(format, utcMs) };
}

function offsetBy(format: Intl.DateTimeFormat, utcMs: number): number {
  if (!(Math.abs(utcMs) < LAST_MS)) return 0;
  const whole = Math.floor(utcMs / 1000) * 1000;
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(whole)) shown[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

/**
 * The moment of a wall time, milliseconds since the epoch. Of a time that comes twice the first is taken; one that the
 * clocks leave out is read with the offset before the change (RFC 5545, 3.3.5).
 */
export function utcOfWall(wallMs: number, zone: TimeZone): number {
  const before = zone.offsetMs(wallMs - DAY_MS);
  const early = wallMs - before;
  if (zone.offsetMs(early) === before) return early;
  const after = zone.offsetMs(wallMs + DAY_MS);
  const late = wallMs - after;
  return zone.offsetMs(late) === after ? late : early;
}
