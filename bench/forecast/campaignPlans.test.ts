import { describe, expect, it } from '@jest/globals';

import { effectAt, HORIZON_HOURS, injectCampaigns } from './campaignPlans.js';
import { campaignTable, scoreCampaign } from './campaignScore.js';

const HOUR_MS = 3_600_000;
const VALUES = Array.from({ length: 900 }, (_, hour) => 50 + 20 * Math.sin(hour / 4) + (hour % 7));
const REAL = { id: 'shop', series: { startMs: 0, stepMs: HOUR_MS, values: VALUES }, seasons: [24, 168] };
const QUESTIONS = Array.from({ length: 20 }, (_, seed) => injectCampaigns(REAL, seed));

describe('injected campaigns', () => {
  it('are the same for a seed', () => {
    expect(injectCampaigns(REAL, 3)).toEqual(QUESTIONS[3]);
    expect(injectCampaigns(REAL, 4)).not.toEqual(QUESTIONS[3]);
  });

  it('multiply real demand by the true factors and nothing else, each kind ahead once', () => {
    for (const { history, actual, factors, events, isSeen, isEvent } of QUESTIONS) {
      const all = [...history.values, ...actual];
      for (const [hour, value] of all.entries())
        expect(value).toBeCloseTo((VALUES[hour] ?? 0) * (factors[hour] ?? 0), 9);
      const originMs = history.values.length * HOUR_MS;
      expect(events.filter((event) => event.startMs >= originMs)).toHaveLength(1);
      expect(events.length > 1).toBe(isSeen);
      expect(actual).toHaveLength(HORIZON_HOURS);
      for (const [step, one] of isEvent.entries()) {
        expect(one).toBe(Math.abs((factors[history.values.length + step] ?? 0) - 1) >= 0.02);
      }
    }
  });

  it('rise before, fade after', () => {
    const effect = { during: 0.8, rampHours: 3, before: -0.1, beforeHours: 12, decayHours: 5 };
    const at = [-16, -15, -4, -3, -1, 0, 9].map((hour) => effectAt(effect, hour, 10));
    expect(at.map((value) => Number(value.toFixed(6)))).toEqual([0, -0.1, -0.1, 0.2, 0.6, 0.8, 0.8]);
    expect(effectAt(effect, 14, 10)).toBeCloseTo(0.8 * Math.exp(-1), 9);
    expect(effectAt({ ...effect, decayHours: 0 }, 10, 10)).toBe(0);
  });

  it('are scored on their own hours', () => {
    const scores = QUESTIONS.map((question) => {
      const p50 = question.actual.map((value, step) => value * (question.isEvent[step] === true ? 1.2 : 1.1));
      const p90 = question.actual.map((value, step) => value * (question.isEvent[step] === true ? 0.9 : 1.3));
      return scoreCampaign(question, { p50, p80: p50, p90, p95: p90, p99: p90 });
    });
    const line = campaignTable(scores, 1)
      .split('\n')
      .find((row) => row.startsWith('| seen'));
    const numbers = (line ?? '')
      .split('|')
      .slice(3, 8)
      .map((cell) => Number.parseFloat(cell));
    expect(numbers).toEqual([0.2, 0.1, 2, 0, 1]);
  });
});
