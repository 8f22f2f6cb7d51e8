import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { EventPlan, StepGrid, TimedEvent } from './events.js';
import { planEvents } from './events.js';
import { mean } from '../series.js';

const HOUR_MS = 3_600_000;
const SEASONS = [24, 168];
const TRAIN = 7 * 168;
const GRID: StepGrid = { startMs: Date.UTC(2026, 0, 5), stepMs: HOUR_MS, trainSteps: TRAIN, futureSteps: 96 };
const AHEAD = TRAIN + 30;

/** Days and weeks with a little deterministic noise that no season explains. */
function usual(step: number): number {
  const day = 40 * Math.sin((2 * Math.PI * step) / 24);
  const week = 15 * Math.cos((2 * Math.PI * step) / 168);
  return 100 + day + week + 4 * Math.sin(step * step);
}

function event(start: number, hours: number, more: Partial<TimedEvent> = {}): TimedEvent {
  const startMs = GRID.startMs + start * HOUR_MS;
  return { id: `at ${start}`, kind: 'campaign', startMs, endMs: startMs + hours * HOUR_MS, uplift: undefined, ...more };
}

/** `effect`: logarithm of the factor on demand so many hours after a start. */
function lifted(
  starts: readonly number[],
  effect: (after: number) => number,
  height = (_: number): number => 1,
): number[] {
  return Array.from({ length: TRAIN }, (_, step) =>
    starts.reduce((value, start, index) => value * Math.exp(height(index) * effect(step - start)), usual(step)),
  );
}

function plan(values: readonly number[], events: readonly TimedEvent[], seasons = SEASONS): EventPlan {
  return planEvents(events, GRID, values, seasons);
}

function factors(planned: EventPlan): number[] {
  return Array.from({ length: GRID.futureSteps }, (_, step) => planned.learnedFactor(step));
}

const STARTS = [210, 430, 660, 890];
const HOURS = 20;
const CALENDAR = [...STARTS, AHEAD].map((start) => event(start, HOURS));
const onOff = (after: number): number => (after >= 0 && after < HOURS ? Math.log(1.8) : 0);

describe('the shape of an event', () => {
  it('is on and off where the history shows no more', () => {
    const found = factors(plan(lifted(STARTS, onOff), CALENDAR));
    for (const [step, factor] of found.entries()) {
      const inside = step >= 30 && step < 30 + HOURS;
      expect(factor).toBeGreaterThan(inside ? 1.72 : 0.97);
      expect(factor).toBeLessThan(inside ? 1.88 : 1.03);
    }
  });

  it.each([3, 6, 11])('fades as it did before, with a time constant of %d hours', (decay) => {
    const effect = (after: number): number =>
      after < HOURS ? onOff(after) : Math.log(1.8) * Math.exp(-(after - HOURS + 0.5) / decay);
    const planned = plan(lifted(STARTS, effect), CALENDAR);
    const tail = Array.from({ length: 24 }, (_, after) => after + HOURS);
    const off = tail.map((after) => Math.abs(Math.log(planned.learnedFactor(30 + after)) - effect(after)));
    expect(mean(off)).toBeLessThan(0.03);
    expect(planned.notes.join()).toContain('right after it, fading over');
  });

  it('rises ahead of its start, and takes from the day before, where it did', () => {
    const effect = (after: number): number => {
      if (after < -24) return 0;
      if (after < -6) return Math.log(0.85);
      return after < 0 ? (Math.log(1.8) * (after + 7)) / 7 : onOff(after);
    };
    const planned = plan(lifted(STARTS, effect), CALENDAR);
    const told = (after: number): number => planned.learnedFactor(30 + after);
    expect(told(-12)).toBeGreaterThan(0.8);
    expect(told(-12)).toBeLessThan(0.92);
    expect(told(-1)).toBeGreaterThan(1.4);
    expect(told(5)).toBeGreaterThan(1.7);
  });

  it('is as high as the stated uplift beside those of the past says', () => {
    const uplifts = [0.4, 0.8, 0.6, 1];
    const size = mean(uplifts.map(Math.log1p));
    const values = lifted(STARTS, onOff, (index) => Math.log1p(uplifts[index] ?? 0) / size);
    const past = STARTS.map((start, index) => event(start, HOURS, { uplift: uplifts[index] }));
    const told = (uplift: number | undefined): number =>
      plan(values, [...past, event(AHEAD, HOURS, { uplift })]).learnedFactor(35);
    expect(told(1.5)).toBeCloseTo(Math.exp((Math.log(1.8) * Math.log1p(1.5)) / size), 0);
    expect(told(0.2)).toBeLessThan(1.35);
    expect(told(undefined)).toBeGreaterThan(1.7);
  });
});

describe('the budget of a campaign', () => {
  const budgets = [100, 400, 225, 900];
  const size = mean(budgets.map(Math.sqrt));
  const values = lifted(STARTS, onOff, (index) => Math.sqrt(budgets[index] ?? 0) / size);
  const told = (past: readonly (number | undefined)[], budget: number): number => {
    const spent = (of: number | undefined): Partial<TimedEvent> => (of === undefined ? {} : { budget: of });
    const events = STARTS.map((start, index) => event(start, HOURS, spent(past[index])));
    return plan(values, [...events, event(AHEAD, HOURS, { budget })]).learnedFactor(35);
  };

  it('says how high it is beside those of the past, where all of them have one', () => {
    for (const budget of [100, 900]) {
      expect(told(budgets, budget)).toBeCloseTo(Math.exp((Math.log(1.8) * Math.sqrt(budget)) / size), 1);
    }
  });

  it('says nothing where one of them has none', () => {
    expect(told([100, 400, undefined, 900], 100)).toBe(told([100, 400, undefined, 900], 900));
  });
});

describe('events of several kinds', () => {
  it('share what came where they overlap', () => {
    const sales = (after: number): number => (after >= 10 && after < 30 ? Math.log(1.3) : 0);
    const values = lifted(STARTS, onOff).map((value, step) =>
      [210, 660].reduce((sum, start) => sum * Math.exp(sales(step - start)), value),
    );
    const news = (start: number): TimedEvent => event(start + 10, 20, { kind: 'news' });
    const past = [...STARTS.map((start) => event(start, HOURS)), news(210), news(660)];
    const one = plan(values, [...past, event(AHEAD, HOURS)]).learnedFactor(45);
    const other = plan(values, [...past, news(AHEAD - 10)]).learnedFactor(35);
    const both = plan(values, [...past, event(AHEAD, HOURS), news(AHEAD)]).learnedFactor(45);
    expect(one).toBeGreaterThan(1.65);
    expect(one).toBeLessThan(1.95);
    expect(other).toBeGreaterThan(1.15);
    expect(other).toBeLessThan(1.45);
    expect(both).toBeCloseTo(one * other, 6);
  });
});

describe('what is learned', () => {
  const values = lifted(STARTS, (after) => onOff(after) + (after >= HOURS && after < HOURS + 8 ? 0.2 : 0));

  it('scales with demand', () => {
    const plain = plan(values, CALENDAR);
    for (const scale of [1e-3, 1e6]) {
      const scaled = plan(
        values.map((value) => value * scale),
        CALENDAR,
      );
      for (const [step, factor] of factors(plain).entries()) expect(scaled.learnedFactor(step)).toBeCloseTo(factor, 6);
      expect((scaled.quiet[440] ?? 0) / scale).toBeCloseTo(plain.quiet[440] ?? 0, 6);
      expect(scaled.spread(40)).toBeCloseTo(plain.spread(40), 6);
    }
  });

  it('does not depend on the order of events', () => {
    const other = event(AHEAD + 8, 10, { kind: 'news', uplift: 0.3 });
    const past = event(780, 10, { kind: 'news' });
    const all = [...CALENDAR, other, past, event(AHEAD, 3, { kind: 'unseen', uplift: 0.4 })];
    const expected = plan(values, all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        const planned = plan(values, shuffled);
        expect(factors(planned)).toEqual(factors(expected));
        expect(planned.quiet).toEqual(expected.quiet);
        expect(planned.notes).toEqual(expected.notes);
      }),
      { numRuns: 3 },
    );
  });

  it('changes nothing before the events: those ahead leave the quiet history as it is, but for their lead', () => {
    const without = plan(values, CALENDAR.slice(0, -1));
    const quiet = plan(values, CALENDAR).quiet;
    expect(quiet.slice(0, TRAIN - 36)).toEqual(without.quiet.slice(0, TRAIN - 36));
  });

  it('is almost nothing where events did nothing', () => {
    const planned = plan(
      lifted(STARTS, () => 0),
      CALENDAR,
    );
    for (const factor of factors(planned)) expect(Math.abs(Math.log(factor))).toBeLessThan(0.04);
  });

  it('is believed less where past occurrences did not all do the same', () => {
    const uneven = lifted(STARTS, onOff, (index) => (index % 2 === 0 ? 0.4 : 1.6));
    const even = plan(lifted(STARTS, onOff), CALENDAR);
    expect(plan(uneven, CALENDAR).spread(40)).toBeGreaterThan(2 * even.spread(40));
    expect(even.spread(40)).toBeGreaterThan(0);
    expect(even.spread(5)).toBe(0);
  });
});

describe('hard calendars', () => {
  const values = lifted(STARTS, onOff);
  const finite = (planned: EventPlan, of: readonly number[]): void => {
    for (const factor of factors(planned)) expect(factor > 0 && Number.isFinite(factor)).toBe(true);
    expect(planned.quiet).toHaveLength(of.length);
    expect(planned.quiet.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  };

  it('leaves to the season what comes at the same hours of each week', () => {
    const weekly = Array.from({ length: 8 }, (_, week) => event(week * 168 + 100, 10));
    const busy = values.map((_, step) => usual(step) * (step % 168 >= 100 && step % 168 < 110 ? 2 : 1));
    const planned = plan(busy, weekly);
    expect(planned.quiet).toEqual(busy);
    expect(factors(planned).every((factor) => factor === 1)).toBe(true);
  });

  it('leaves demand as it is under an event that was always on', () => {
    const always = plan(values, [event(0, TRAIN + 96)]);
    expect(always.quiet).toEqual(values);
    expect(always.learnedFactor(10)).toBe(1);
  });

  it('takes adjacent hours of one holiday as one occurrence', () => {
    const hours = [...STARTS, AHEAD].flatMap((start) =>
      Array.from({ length: HOURS }, (_, hour) => event(start + hour, 1)),
    );
    expect(factors(plan(values, hours))).toEqual(factors(plan(values, CALENDAR)));
  });

  it('counts a part of a step as a part', () => {
    const late = [...STARTS, AHEAD].map((start) => event(start + 0.75, HOURS - 0.75));
    const from = (after: number): number => (after === 0 ? 0.25 : 1) * onOff(after);
    const planned = plan(lifted(STARTS, from), late);
    expect(Math.log(planned.learnedFactor(30))).toBeCloseTo(0.25 * Math.log(planned.learnedFactor(31)), 1);
  });

  it('is finite and positive for any events on any demand', () => {
    const anyEvent = fc.record({
      id: fc.constant('x'),
      kind: fc.constantFrom('a', 'b'),
      start: fc.double({ min: -100, max: 500, noNaN: true }),
      hours: fc.double({ min: 0.1, max: 400, noNaN: true }),
      uplift: fc.option(fc.double({ min: -1, max: 50, noNaN: true }), { nil: undefined }),
    });
    const anyDemand = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true })), {
      minLength: 1,
      maxLength: 400,
    });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 8 }), anyDemand, (drawn, demand) => {
        const events = drawn.map(({ start, hours, ...rest }) => ({ ...event(start, hours), ...rest }));
        const planned = planEvents(events, { ...GRID, trainSteps: demand.length }, demand, [24]);
        finite(planned, demand);
        for (const step of [0, 50, 95]) {
          expect(Number.isFinite(planned.spread(step))).toBe(true);
          expect(planned.statedFactor(step, 'p99')).toBeGreaterThanOrEqual(planned.statedFactor(step, 'p50'));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a kind never seen', () => {
  const ahead = event(AHEAD, 10, { kind: 'new', uplift: 0.5 });
  const planned = plan(lifted(STARTS, onOff), [...CALENDAR.slice(0, -1), ahead]);

  it('does what it states, in the upper quantiles more, and for longer', () => {
    expect(planned.statedFactor(35, 'p50')).toBeCloseTo(1.5, 9);
    expect(planned.statedFactor(35, 'p90')).toBeGreaterThan(1.6);
    expect(planned.statedFactor(42, 'p50')).toBe(1);
    expect(planned.statedFactor(42, 'p90')).toBeGreaterThan(1.1);
    expect(planned.statedFactor(28, 'p90')).toBeGreaterThan(1.1);
    expect(planned.learnedFactor(35)).toBe(1);
    expect(planned.unknownKinds).toEqual([]);
  });

  it('is named where it states nothing', () => {
    const mute = plan(lifted(STARTS, onOff), [event(AHEAD, 10, { kind: 'new' })]);
    expect(mute.unknownKinds).toEqual(['new']);
    expect(mute.statedFactor(35, 'p99')).toBe(1);
  });
});
