import { describe, expect, it } from '@jest/globals';
import { demandTimeMs } from './demandClock.js';

describe('demandTimeMs', () => {
  it('is wall time for a real region', () => {
    expect(demandTimeMs({}, 1234)).toBe(1234);
  });

  it('runs at the stated speed from the stated moments', () => {
    const demandClock = { demandFrom: '2012-04-18T06:00:00Z', wallFrom: '2026-01-01T00:00:00Z', speed: 360 };
    const tenSecondsLater = Date.parse('2026-01-01T00:00:10Z');
    expect(new Date(demandTimeMs({ demandClock }, tenSecondsLater)).toISOString()).toBe('2012-04-18T07:00:00.000Z');
  });
});
