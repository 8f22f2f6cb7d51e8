import { describe, expect, it } from '@jest/globals';

import { arima } from './arima.js';
import { lagRegression } from './lagRegression.js';
import type { ForecastMember, Regressor } from './members.js';
import { createRandom, normal } from '../random.js';
import { linearScale, logScale } from './scale.js';
import { mean } from '../series.js';
import { valueEffect } from './valueEffects.js';

const SEASONS = [24, 168];
const STEPS = 1008;
const AHEAD = 48;

/** Demand that rises by 30 % for each standard deviation of a temperature, which wanders. */
function warm(): { values: number[]; actual: number[]; heat: Regressor } {
  const random = createRandom(4);
  const heat: number[] = [];
  for (let step = 0; step < STEPS + AHEAD; step++) heat.push(0.97 * (heat[step - 1] ?? 0) + 0.25 * normal(random));
  const demand = heat.map((degrees, hour) => {
    const day = 1.3 + Math.sin((2 * Math.PI * hour) / 24);
    return 40 * day * Math.exp(Math.log(1.3) * degrees + 0.03 * normal(random));
  });
  return {
    values: demand.slice(0, STEPS),
    actual: demand.slice(STEPS),
    heat: { name: 'heat', train: heat.slice(0, STEPS), future: heat.slice(STEPS) },
  };
}

function forecast(member: ForecastMember, values: readonly number[], known: readonly Regressor[]): readonly number[] {
  const made = member.forecast({ startMs: 0, stepMs: 3_600_000, values }, AHEAD, known, 1);
  if (!made.ok) throw new Error(made.reason);
  return made.mean;
}

describe('valueEffect', () => {
  const { values, heat } = warm();

  it.each([logScale, linearScale])('learns a known effect on either scale', (scaleOf) => {
    const scale = scaleOf(values);
    const effect = valueEffect(values, scale, [heat], SEASONS, AHEAD);
    const known = [...heat.train, ...heat.future];
    // At noon, where demand is high, between hours that differ by about one deviation.
    const share = (step: number): number => scale.from(scale.to(70) + (effect[step] ?? 0)) / 70;
    const noon = known.flatMap((degrees, step) => (step % 24 === 6 ? [{ degrees, share: share(step) }] : []));
    const high = noon.filter(({ degrees }) => degrees > 0.7 && degrees < 1.3);
    expect(high.length).toBeGreaterThan(2);
    expect(mean(high.map((one) => one.share))).toBeGreaterThan(1.15);
    expect(mean(high.map((one) => one.share))).toBeLessThan(1.5);
  });

  it('is nothing without regressors, and where they never move', () => {
    const still: Regressor = { name: 'still', train: values.map(() => 5), future: [9, 9] };
    for (const regressors of [[], [still]]) {
      const effect = valueEffect(values, logScale(values), regressors, SEASONS, 2);
      expect(effect).toEqual(new Float64Array(STEPS + 2));
    }
  });

  it('takes a value beyond what was seen for the nearest seen', () => {
    const most = Math.max(...heat.train);
    const effectOf = (ahead: number): Float64Array =>
      valueEffect(values, logScale(values), [{ ...heat, future: [ahead] }], SEASONS, 1);
    expect(effectOf(most * 100)).toEqual(effectOf(most));
  });
});

describe.each([arima, lagRegression])('a member that knows measured values', (create) => {
  const { values, actual, heat } = warm();
  const member = create(SEASONS);
  const errorOf = (told: readonly number[]): number =>
    mean(actual.map((value, step) => Math.abs(value - (told[step] ?? 0))));

  it('forecasts better for it', () => {
    const blind = errorOf(forecast(member, values, []));
    expect(errorOf(forecast(member, values, [heat]))).toBeLessThan(0.6 * blind);
  });

  it('scales with the data, and ignores the unit of the values', () => {
    const base = forecast(member, values, [heat]);
    const fahrenheit = (list: readonly number[]): number[] => list.map((value) => 32 + 1.8 * value);
    const other = { ...heat, train: fahrenheit(heat.train), future: fahrenheit(heat.future) };
    const scaled = forecast(
      member,
      values.map((value) => value * 1000),
      [other],
    );
    for (const [step, value] of base.entries()) expect((scaled[step] ?? 0) / 1000).toBeCloseTo(value, 3);
  });
});
