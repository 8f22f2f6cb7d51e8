import { describe, expect, it } from '@jest/globals';

import { harmfulMoves, recorded } from './adjustments.js';
import { traceSegment } from './demand.js';
import { idle, limiting, madeSources, NO_ENGINES } from './fixtures.js';
import { runPolicy } from './run.js';
import { harmfulOf, safetyRuns } from './safety.js';
import type { SafetyInput } from './safety.js';
import { safetyText, upperBound, worstRuns } from './safetyReport.js';
import { overloadScenario } from './scenarios.js';
import { singleBottleneck } from './synthetic.js';

const input: Omit<SafetyInput, 'on'> = {
  apps: [singleBottleneck(150)],
  segments: [traceSegment(madeSources(), 'noisy', 2400)],
  ...{ engines: NO_ENGINES, off: idle, params: { most: 1 }, tickMs: 5000, runs: 2, seed: 1 },
};

describe('recorded', () => {
  it('writes down what was moved away from the plan, and when it was back', () => {
    const scenario = { ...overloadScenario(singleBottleneck(80), 1), durationMs: 40_000 };
    const { policy, moves } = recorded(limiting(1, 2));
    runPolicy(scenario, policy, { most: 1 }, 1);
    const found = moves().map(({ service, field, fromMs, untilMs }) => [service, field, fromMs, untilMs]);
    expect(found).toEqual([
      ['front', 'inbound.maxRequests', 10_000, 20_000],
      ['work', 'inbound.maxRequests', 10_000, 20_000],
    ]);
  });
});

describe('harmfulMoves', () => {
  const move = { service: 'a', field: 'f', scope: '', fromMs: 10_000 };
  const windows = { windowMs: 10_000, tickMs: 5000, threshold: 0.02, off: [1, 1, 1, 1, 1] };

  it('counts ticks from the end of the first window that was worse', () => {
    const on = [1, 1, 0.9, 0.9, 1];
    expect(harmfulMoves({ ...windows, on, moves: [{ ...move, untilMs: 40_000 }] })).toMatchObject([
      { harmFromMs: 20_000, ticksToReverse: 2 },
    ]);
    expect(harmfulMoves({ ...windows, on, moves: [move] })).toMatchObject([{ ticksToReverse: Infinity }]);
  });

  it('lets go what happened before, after, or within the noise', () => {
    expect(harmfulMoves({ ...windows, on: [0.5, 1, 0.99, 1, 0.5], moves: [{ ...move, untilMs: 40_000 }] })).toEqual([]);
  });
});

describe('safetyRuns', () => {
  it('say that who does nothing loses nothing, whatever fails', () => {
    const runs = safetyRuns({ ...input, on: idle });
    expect(runs.map(({ lostShare }) => lostShare)).toEqual([0, 0]);
    expect(runs.every(({ faults }) => faults.length > 0)).toBe(true);
    expect(new Set(runs.map(({ isAimed }) => isAimed)).size).toBe(2);
    expect(runs.every(({ forecastFactor: by }) => by >= 1 / 3 && by <= 3)).toBe(true);
    expect(Math.max(...runs.map(({ chanceShare }) => Math.abs(chanceShare)))).toBeGreaterThan(0);
  });

  it('find who chokes a region and never stops, and the same each time', () => {
    const on = limiting(1, 1000);
    const runs = safetyRuns({ ...input, on });
    expect(Math.max(...runs.map(({ lostShare }) => lostShare))).toBeGreaterThan(0.02);
    const harmful = harmfulOf(runs, { threshold: 0.02, tickMs: 5000 });
    expect(harmful.some(({ ticksToReverse }) => ticksToReverse === Infinity)).toBe(true);
    const text = safetyText(runs, { tickMs: 5000 }) + worstRuns(runs, 2);
    const again = safetyRuns({ ...input, on });
    expect(safetyText(again, { tickMs: 5000 }) + worstRuns(again, 2)).toBe(text);
  });
});

it('never says that nothing seen is nothing there', () => {
  expect(upperBound(0, 500)).toBeCloseTo(0.006, 9);
  expect(upperBound(5, 500)).toBeGreaterThan(0.01);
  expect(upperBound(0, 0)).toBe(1);
});
