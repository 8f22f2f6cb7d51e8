import { describe, expect, it } from '@jest/globals';
import { mean } from '../../core/forecast/series.js';
import { DAY_STEPS, madeDemand, regionRows, serviceName, WEEK_STEPS } from './regionDemand.js';

const shape = (phase: number): number[] =>
  Array.from({ length: WEEK_STEPS }, (_, step) => 1 + 0.5 * Math.sin((2 * Math.PI * (step + phase)) / DAY_STEPS));
const SHAPES = [shape(0), shape(40), shape(80)];

describe('a made service', () => {
  it('is the same for the same seed, however long and in whatever region', () => {
    const rows = regionRows(SHAPES, { services: 3, seed: 7, from: 10, to: 20 });
    const own = rows.filter(({ service }) => service === serviceName(2)).map(({ rps }) => rps);
    const alone = madeDemand(SHAPES, 2, 7, 20);
    expect(own).toEqual(alone.slice(10));
    expect(madeDemand(SHAPES, 2, 8, 20)).not.toEqual(alone);
  });

  it('keeps the day of what it is made from', () => {
    const demand = madeDemand(SHAPES, 1, 1, 2 * WEEK_STEPS);
    const level = mean(demand);
    const change = (lag: number): number =>
      mean(demand.slice(lag).map((value, step) => Math.abs(value - (demand[step] ?? 0)))) / level;
    expect(change(DAY_STEPS)).toBeLessThan(0.7 * change(DAY_STEPS / 2));
    expect(demand.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  });
});
