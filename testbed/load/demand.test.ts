import { describe, expect, it } from '@jest/globals';
import { demandTime, parseDemand, wallTime } from './demand.js';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3_600_000;
const csv = `timestamp,service,rps
2026-01-01T01:00:00Z,shop,20
2026-01-01T00:00:00Z,shop,10
2026-01-01T00:00:00+01:00,pay,1
2026-01-01T00:00:00Z,pay,2
`;

describe('recorded demand', () => {
  const demand = parseDemand(csv);

  it('holds each value until the next, and nothing outside the record', () => {
    expect(demand.rpsAt('shop', T0 - 1)).toBe(0);
    expect(demand.rpsAt('shop', T0)).toBe(10);
    expect(demand.rpsAt('shop', T0 + HOUR - 1)).toBe(10);
    expect(demand.rpsAt('shop', T0 + HOUR)).toBe(20);
    expect(demand.rpsAt('shop', T0 + 2 * HOUR)).toBe(0);
    expect(demand.rpsAt('pay', T0 - 1)).toBe(1);
    expect(demand.rpsAt('other', T0)).toBe(0);
  });

  it('knows when it changes next', () => {
    expect(demand.nextChangeMs('shop', T0 - 1)).toBe(T0);
    expect(demand.nextChangeMs('shop', T0)).toBe(T0 + HOUR);
    expect(demand.nextChangeMs('shop', T0 + 9 * HOUR)).toBe(Infinity);
  });

  it('names the line that it cannot read', () => {
    expect(() => parseDemand('timestamp,service,rps\n2026-01-01T00:00:00Z,shop,-1', 'd.csv')).toThrow('d.csv:2');
    expect(() => parseDemand('time,service,rps')).toThrow('header');
  });
});

describe('the demand clock', () => {
  const clock = { demandFrom: '2012-01-01T00:00:00Z', wallFrom: '2026-01-01T00:00:00Z', speed: 360 };
  it('runs an hour in ten seconds, and back', () => {
    expect(demandTime(clock, T0 + 10_000)).toBe(Date.parse('2012-01-01T01:00:00Z'));
    expect(wallTime(clock, demandTime(clock, T0 + 1234))).toBeCloseTo(T0 + 1234, 3);
  });
});
