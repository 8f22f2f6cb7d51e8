import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { timeZoneNamed, utcOfWall } from './timeZone.js';

function moment(wall: string, name: string): string {
  const zone = timeZoneNamed(name);
  if (zone === null) throw new Error(name);
  return new Date(utcOfWall(Date.parse(`${wall}Z`), zone)).toISOString();
}

describe('a time zone', () => {
  it('knows winter and summer', () => {
    expect(moment('2026-01-15T00:00:00', 'Europe/Berlin')).toBe('2026-01-14T23:00:00.000Z');
    expect(moment('2026-07-15T00:00:00', 'Europe/Berlin')).toBe('2026-07-14T22:00:00.000Z');
    expect(moment('2026-07-15T00:00:00', 'Asia/Kathmandu')).toBe('2026-07-14T18:15:00.000Z');
  });

  it('takes the first of a time that comes twice, and the offset before for one that never comes', () => {
    expect(moment('2026-10-25T02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(moment('2026-03-29T02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
  });

  it.each(['', 'Europe/Belrin', '+01:00', 'Mars/Base', 'a b'])('"%s" is none', (name) => {
    expect(timeZoneNamed(name)).toBeNull();
  });

  it('gives back the wall time it was asked for, but in the hour that is left out', () => {
    const zones = fc.constantFrom('America/New_York', 'Australia/Lord_Howe', 'Europe/Berlin', 'Pacific/Apia', 'UTC');
    const walls = fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) });
    fc.assert(
      fc.property(zones, walls, (name, wall) => {
        const zone = timeZoneNamed(name);
        if (zone === null) return false;
        const utc = utcOfWall(wall, zone);
        const back = utc + zone.offsetMs(utc);
        return back === wall || (back > wall && zone.offsetMs(utc) > zone.offsetMs(utc - 86_400_000));
      }),
    );
  });
});
