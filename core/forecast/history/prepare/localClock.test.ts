import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Series } from '../../series.js';
import { fromLocalClock, localHorizon, localLeads, localMs, toLocalClock } from './localClock.js';

const HOUR_MS = 3_600_000;
const BERLIN = 'Europe/Berlin';
/** The clock of Berlin goes from 2:00 to 3:00 at this moment, and from 3:00 to 2:00 at the other. */
const SPRING_MS = Date.UTC(2026, 2, 29, 1);
const AUTUMN_MS = Date.UTC(2026, 9, 25, 1);

/** Demand that follows the hour of Berlin's clock, however it is set. */
function living(startMs: number, steps: number, stepMs = HOUR_MS): Series {
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone: BERLIN, hour: 'numeric', minute: 'numeric' });
  const values = Array.from({ length: steps }, (_, step) => {
    const [hours = 0, minutes = 0] = hour
      .format(startMs + step * stepMs)
      .split(':')
      .map(Number);
    return 100 + 60 * hours + minutes;
  });
  return { startMs, stepMs, values };
}

describe('toLocalClock', () => {
  it.each([
    ['spring', SPRING_MS, HOUR_MS],
    ['autumn', AUTUMN_MS, HOUR_MS],
    ['autumn, 5 minutes', AUTUMN_MS, HOUR_MS / 12],
  ])('keeps the daily season in place over the change of %s', (_, changeMs, stepMs) => {
    const day = (24 * HOUR_MS) / stepMs;
    const utc = living(changeMs - 3 * 24 * HOUR_MS, 6 * day, stepMs);
    const { series } = toLocalClock(utc, BERLIN);
    expect(series.values).toEqual(Array.from({ length: series.values.length }, (_, at) => series.values[at % day]));
    const shifted = utc.values.some((value, at) => at >= day && value !== utc.values[at - day]);
    expect(shifted).toBe(true);
  });

  it('averages the hour that is there twice, and fills the skipped one from what was before', () => {
    const ramp = (startMs: number): Series => ({ startMs, stepMs: HOUR_MS, values: [1, 2, 3, 4, 5, 6] });
    expect(toLocalClock(ramp(AUTUMN_MS - 2 * HOUR_MS), BERLIN).series.values).toEqual([1, 2.5, 4, 5, 6]);
    expect(toLocalClock(ramp(SPRING_MS - 2 * HOUR_MS), BERLIN).series.values).toEqual([1, 2, 2, 3, 4, 5, 6]);
  });

  it('maps a forecast back: the hour there twice comes twice, the skipped one is left out', () => {
    const before = (changeMs: number): Series => living(changeMs - 48 * HOUR_MS, 46);
    const autumn = toLocalClock(before(AUTUMN_MS), BERLIN, 5);
    expect(localLeads(autumn, 5)).toEqual([0, 1, 1, 2, 3]);
    expect(localHorizon(autumn, 5)).toBe(4);
    expect(fromLocalClock(autumn, [10, 11, 12, 13], 5)).toEqual([10, 11, 11, 12, 13]);
    const spring = toLocalClock(before(SPRING_MS), BERLIN, 5);
    expect(localLeads(spring, 5)).toEqual([0, 1, 3, 4, 5]);
    expect(localHorizon(spring, 5)).toBe(6);
    expect(fromLocalClock(spring, [10, 11, 12, 13, 14, 15], 5)).toEqual([10, 11, 13, 14, 15]);
  });

  it('takes a step of the clock that history has already from there', () => {
    const utc = living(AUTUMN_MS - 48 * HOUR_MS, 48);
    const local = toLocalClock(utc, BERLIN, 3);
    expect(localLeads(local, 3)).toEqual([-1, 0, 1]);
    expect(fromLocalClock(local, [7, 8], 3)).toEqual([utc.values.at(-1), 7, 8]);
  });

  it('moves the times of events along', () => {
    const local = toLocalClock(living(AUTUMN_MS - 48 * HOUR_MS, 72), BERLIN);
    expect(localMs(local, AUTUMN_MS - 1)).toBe(AUTUMN_MS - 1);
    expect(localMs(local, AUTUMN_MS + 5 * HOUR_MS)).toBe(AUTUMN_MS + 4 * HOUR_MS);
  });

  it.each([
    ['a zone without changes', 'Asia/Tokyo', HOUR_MS],
    ['steps of a day', BERLIN, 24 * HOUR_MS],
    ['steps that do not divide an hour', BERLIN, 2 * HOUR_MS],
    ['a change that is not of whole steps', 'Australia/Lord_Howe', HOUR_MS],
    ['an unknown zone', 'Nowhere/Here', HOUR_MS],
  ])('is the very series for %s', (_, timeZone, stepMs) => {
    const utc: Series = { startMs: Date.UTC(2026, 0, 1), stepMs, values: Array.from({ length: 9000 }, (_, at) => at) };
    const local = toLocalClock(utc, timeZone, 100);
    expect(local.series).toBe(utc);
    expect(localLeads(local, 3)).toEqual([0, 1, 2]);
  });

  it('knows changes of half an hour', () => {
    const utc: Series = { startMs: Date.UTC(2026, 3, 4), stepMs: HOUR_MS / 2, values: Array(96).fill(1) };
    expect(toLocalClock(utc, 'Australia/Lord_Howe').changes).toEqual([{ utcStep: 30, shiftSteps: -1 }]);
  });

  it('loses nothing there and back, and never looks ahead', () => {
    const zones = fc.constantFrom(BERLIN, 'America/New_York', 'Africa/Casablanca', 'Australia/Lord_Howe', 'UTC');
    const minutes = fc.constantFrom(60, 30, 15, 5);
    fc.assert(
      fc.property(zones, minutes, fc.nat(400), fc.nat(72), (timeZone, step, days, cutHours) => {
        const startMs = Date.UTC(2026, 0, 1) + days * 24 * HOUR_MS;
        const steps = (240 * 60) / step;
        const values = Array.from({ length: steps }, (_, at) => (at * 7919) % 1000);
        const cut = steps - Math.round((cutHours * 60) / step) - 1;
        const utc = { startMs, stepMs: step * 60_000, values };
        const whole = toLocalClock(utc, timeZone);
        const part = toLocalClock({ ...utc, values: values.slice(0, cut) }, timeZone, steps - cut);
        const ahead = whole.series.values.slice(part.series.values.length);
        const back = fromLocalClock(part, ahead, steps - cut);
        expect(back).toHaveLength(steps - cut);
        const unclear = (60 / step) * 2;
        const settled = part.series.values.slice(0, -unclear);
        expect(whole.series.values.slice(0, settled.length)).toEqual(settled);
        const leads = localLeads(part, steps - cut);
        const isClear = (lead: number): boolean => lead >= 0 && leads.filter((other) => other === lead).length === 1;
        for (const [at, lead] of leads.entries()) {
          if (isClear(lead)) expect(back[at]).toBe(values[cut + at]);
        }
      }),
      { numRuns: 100 },
    );
  });
});
