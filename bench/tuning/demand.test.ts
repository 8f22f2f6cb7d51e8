import { describe, expect, it } from '@jest/globals';

import { NO_ENGINES, madeSources } from './fixtures.js';
import type { DemandSources } from './demandSources.js';
import {
  daySegment,
  demandOf,
  forecastSegment,
  SURGE,
  testSegments,
  traceSegment,
  trainingSegments,
} from './demand.js';

const sources = madeSources();
const app = { entries: [{ service: 'front', share: 1 }], peakRps: 50 };

/** All that comes at or after these places is otherwise. */
function otherFuture(traceFrom: number, nasaHour: number): DemandSources {
  const bent = (values: readonly number[], from: number): number[] => values.map((v, i) => (i < from ? v : 3 * v + 1));
  return {
    traces: { ...sources.traces, diurnal: bent(sources.traces.diurnal, traceFrom) },
    days: { ...sources.days, nasa: { valuesPerHour: 12, values: bent(sources.days.nasa.values, nasaHour * 12) } },
  };
}

describe('what is known before a segment', () => {
  const day = { day: 'nasa', hour: 24 * 40 + 15, noise: { trace: 'noisy', from: 200 } } as const;

  it('is the same whatever comes later: neither forecast nor scale nor peaks look ahead', () => {
    const other = otherFuture(2400, day.hour);
    const pairs = [
      [traceSegment(sources, 'diurnal', 2400), traceSegment(other, 'diurnal', 2400)],
      [daySegment(sources, day), daySegment(other, day)],
    ] as const;
    for (const [one, two] of pairs) {
      expect(two.actual).not.toEqual(one.actual);
      expect(two.history).toEqual(one.history);
      expect(two.pastSeconds).toEqual(one.pastSeconds);
      const forecasts = [one, two].map((segment) => forecastSegment(segment, app, NO_ENGINES).forecast);
      expect(forecasts[1]).toEqual(forecasts[0]);
    }
  });

  it('ends at the origin', () => {
    for (const { history, pastSeconds, originMs, stepSeconds } of [
      ...testSegments(sources),
      ...trainingSegments(sources),
    ]) {
      expect(Math.max(...history.map(({ at }) => at))).toBe(originMs - stepSeconds * 1000);
      expect(Math.max(...pastSeconds.map(({ at }) => at))).toBeLessThan(originMs);
    }
  });

  it('foresees a day like those before it', () => {
    const segment = daySegment(sources, { ...day, noise: { trace: 'diurnal', from: 200 } });
    const { median } = forecastSegment(segment, app, NO_ENGINES);
    const came = (app.peakRps * segment.actual.reduce((sum, one) => sum + one, 0)) / segment.actual.length;
    expect(Math.abs((median.entries[0]?.points[0]?.rps ?? 0) / came - 1)).toBeLessThan(0.1);
  });
});

describe('demandOf', () => {
  it('is what came, and more of it in a surge', () => {
    const segment = traceSegment(sources, 'noisy', 2400);
    const [plain, surged] = [1, 1.5].map((surge) => demandOf(segment, app, surge).entries[0]?.points ?? []);
    expect(plain).toHaveLength(600);
    surged?.forEach(({ rps }, second) => {
      const factor = second >= SURGE.fromSeconds && second < SURGE.toSeconds ? 1.5 : 1;
      expect(rps).toBeCloseTo((segment.actual[second] ?? 0) * app.peakRps * factor, 9);
    });
    expect(plain?.[5]?.rps).toBeCloseTo((segment.actual[5] ?? 0) * app.peakRps, 9);
  });

  it('grows with a campaign, told or not', () => {
    const input = { day: 'bike', hour: 24 * 400 + 12, noise: { trace: 'noisy', from: 0 } } as const;
    const [quiet, loud] = [
      daySegment(sources, input),
      daySegment(sources, { ...input, campaign: { uplift: 0.5, fromSeconds: 100 } }),
    ];
    expect(loud.actual[99]).toBe(quiet.actual[99]);
    expect((loud.actual[300] ?? 0) / (quiet.actual[300] ?? 1)).toBeCloseTo(1.5, 9);
    expect(loud.events).toEqual([]);
    expect(
      daySegment(sources, { ...input, campaign: { uplift: 0.5, fromSeconds: 100, told: 0.4 } }).events,
    ).toHaveLength(1);
  });
});

it('tests on days that nothing was trained on', () => {
  const names = (segments: readonly { name: string }[]): string[] => segments.map(({ name }) => name);
  const [test, training] = [names(testSegments(sources)), names(trainingSegments(sources))];
  expect(new Set([...test, ...training]).size).toBe(test.length + training.length);
  expect(training.some((name) => ['diurnal', 'noisy', 'bursty'].some((trace) => name.startsWith(trace)))).toBe(false);
});
