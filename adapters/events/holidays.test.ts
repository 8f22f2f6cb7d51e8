import { describe, expect, it } from '@jest/globals';

import type { HolidaySourceSpec } from '../../core/spec/eventSource.js';
import { timeZoneNamed, UTC } from '../../core/spec/timeZone.js';
import { surroundings } from './contract.js';
import { createHolidaySource } from './holidays.js';
import type { EventReading } from './port.js';

async function read(
  spec: Partial<HolidaySourceSpec>,
  zone: string,
  from = '2026-01-01T00:00:00Z',
  to = '2027-01-01T00:00:00Z',
): Promise<EventReading> {
  const timeZone = timeZoneNamed(zone) ?? UTC;
  const source = createHolidaySource(
    { kind: 'holidays', country: 'DE', types: ['public'], eventKind: 'holiday', ...spec },
    surroundings('/nowhere', { timeZone }),
  );
  return source.read({ fromMs: Date.parse(from), toMs: Date.parse(to) }, new AbortController().signal);
}

async function days(spec: Partial<HolidaySourceSpec>): Promise<string[]> {
  return (await read(spec, 'UTC')).events.map(({ id }) => id);
}

describe('holidays', () => {
  it('last from midnight to midnight where the region is', async () => {
    const [berlin] = (await read({}, 'Europe/Berlin', '2026-10-02T00:00:00Z', '2026-10-05T00:00:00Z')).events;
    expect(berlin).toEqual({
      id: '2026-10-03 Tag der Deutschen Einheit',
      kind: 'holiday',
      start: '2026-10-02T22:00:00.000Z',
      end: '2026-10-03T22:00:00.000Z',
    });
    const [tokyo] = (await read({}, 'Asia/Tokyo', '2026-10-02T00:00:00Z', '2026-10-05T00:00:00Z')).events;
    expect(tokyo).toMatchObject({ start: '2026-10-02T15:00:00.000Z', end: '2026-10-03T15:00:00.000Z' });
  });

  it('are of the state and the types that were asked for', async () => {
    const epiphany = '2026-01-06 Heilige Drei Könige';
    expect(await days({})).not.toContain(epiphany);
    expect(await days({ state: 'BY' })).toContain(epiphany);
    const augsburg = await days({ state: 'BY', region: 'A' });
    expect(augsburg.some((id) => id.startsWith('2026-08-08'))).toBe(true);
    expect(augsburg).not.toEqual(await days({ state: 'BY' }));
    const observed = await days({ country: 'US', types: ['observance'] });
    expect(observed).toContain("2026-02-14 Valentine's Day");
    expect(observed).not.toContain('2026-12-25 Christmas Day');
    expect(await days({ country: 'US', eventKind: 'off' })).toContain('2026-12-25 Christmas Day');
  });

  it('that move are found in each year, and those of the year before where they reach in', async () => {
    const easter = (await read({}, 'UTC', '2025-01-01T00:00:00Z', '2027-12-31T00:00:00Z')).events;
    const mondays = easter.filter(({ id }) => id.endsWith('Ostermontag')).map(({ start }) => start.slice(0, 10));
    expect(mondays).toEqual(['2025-04-21', '2026-04-06', '2027-03-29']);
  });

  it.each([
    [{ country: 'ZZ' }, /ZZ is no country/],
    [{ state: 'ZZ' }, /ZZ is no state of DE.*BY/],
    [{ state: 'BY', region: 'ZZ' }, /ZZ is no region of DE-BY/],
  ])('of a place that is not known are missing, and it is said: %j', async (spec, reason) => {
    expect(await read(spec, 'UTC')).toEqual({ events: [], notes: [], down: expect.stringMatching(reason) });
  });
});
