import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseInstant } from './instant.js';

describe('parseInstant', () => {
  it('reads what toISOString writes', () => {
    const times = fc.date({ min: new Date(0), max: new Date('2999-12-31T00:00:00Z'), noInvalidDate: true });
    fc.assert(fc.property(times, (time) => parseInstant(time.toISOString()) === time.getTime()));
  });

  it.each([
    ['2026-03-01T09:30:00+01:00', '2026-03-01T08:30:00.000Z'],
    ['2026-03-01 09:30-0530', '2026-03-01T15:00:00.000Z'],
    ['2024-02-29T00:00:00.5Z', '2024-02-29T00:00:00.500Z'],
  ])('%s', (text, expected) => {
    expect(new Date(parseInstant(text) ?? 0).toISOString()).toBe(expected);
  });

  it.each([
    '2026-03-01T08:00:00',
    '2026-03-01',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-01T25:00:00Z',
    '2026-03-01T00:00:00+15:00',
    'now',
    '',
  ])('refuses "%s"', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});
