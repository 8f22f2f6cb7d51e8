import { describe, expect, it } from '@jest/globals';
import { leadDemand, leadSteps, newsvendorLevel } from './demandLevel.js';
import { peakFactor } from './peakFactor.js';
import { createRandom } from '../../forecast/random.js';

describe('newsvendorLevel', () => {
  it.each([
    // 3,600 requests an hour at 0.001 against 0.4: 0.9.
    [0.001, 0.4, 1, 0.9, 'p90'],
    [0.001, 1.2, 1, 0.75, 'p80'],
    [1, 0.01, 100, 0.99, 'p99'],
    [0.000001, 1, 1, 0.5, 'p50'],
    [0, 0, 1, 0.5, 'p50'],
  ])('shortage %d a request, idle %d an hour, %d rps: %d', (shortage, idle, rps, level, quantile) => {
    const found = newsvendorLevel({
      shortageCostPerRequest: shortage,
      idleCostPerInstanceHour: idle,
      perInstanceRps: rps,
    });
    expect(found.level).toBeCloseTo(level, 9);
    expect(found.quantile).toBe(quantile);
  });

  it('says when the costs ask for more than the forecast knows', () => {
    const found = newsvendorLevel({ shortageCostPerRequest: 1, idleCostPerInstanceHour: 1, perInstanceRps: 10 });
    expect(found.byCosts).toBeGreaterThan(0.9999);
    expect(found.reason).toContain("held at 99 %, where the forecast's quantiles end");
  });
});

describe('leadDemand', () => {
  it('is the quantile of the highest step, not the highest of the quantiles', () => {
    const paths = { paths: 4, steps: 3, values: Float32Array.of(9, 1, 1, 1, 9, 1, 1, 1, 9, 1, 1, 1) };
    expect(leadDemand(paths, 0, 3, 0.5)).toBe(9);
    expect(leadDemand(paths, 0, 1, 0.5)).toBe(1);
  });

  it.each([
    [{ startupSeconds: 0, leadSeconds: 0, windowSeconds: 3600, stepSeconds: 3600 }, 1],
    [{ startupSeconds: 30, leadSeconds: 0, windowSeconds: 3600, stepSeconds: 3600 }, 2],
    [{ startupSeconds: 300, leadSeconds: 600, windowSeconds: 3600, stepSeconds: 300 }, 15],
  ])('covers start-up, lead and window: %j', (input, steps) => {
    expect(leadSteps(input)).toBe(steps);
  });
});

function poisson(mean: number, seconds: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: seconds }, () => {
    let count = 0;
    for (let t = -Math.log(1 - random()); t < mean; t -= Math.log(1 - random())) count++;
    return count;
  });
}

describe('peakFactor', () => {
  it('finds no more than chance in Poisson arrivals', () => {
    const { factor, excess, source } = peakFactor({ counts: poisson(50, 7200, 1), stepSeconds: 300, quantile: 0.5 });
    expect(source).toBe('counts');
    expect(factor).toBeGreaterThan(1.3);
    expect(excess).toBeLessThan(1.05);
  });

  it('finds a burst', () => {
    const counts = poisson(50, 3600, 2).map((count, second) => (second % 300 === 7 ? 3 * count : count));
    expect(peakFactor({ counts, stepSeconds: 300 }).excess).toBeGreaterThan(1.7);
  });

  it('trusts one step less than many', () => {
    const counts = new Array<number>(300).fill(100).map((count, second) => (second === 9 ? 400 : count));
    const one = peakFactor({ counts, stepSeconds: 300 }).factor;
    const many = peakFactor({ counts: Array.from({ length: 20 }, () => counts).flat(), stepSeconds: 300 }).factor;
    expect(one).toBeGreaterThan(1.3);
    expect(one).toBeLessThan(many);
    expect(many).toBeLessThan(4);
  });

  it.each([
    [{ counts: [], stepSeconds: 300, meanRps: 100 }, 1.28, 1],
    [{ counts: [5, 7], stepSeconds: 300, meanRps: 100, arrivalCv2: 4 }, 1.57, 1.22],
    [{ counts: [], stepSeconds: 300 }, 1, 1],
    [{ counts: new Array<number>(300).fill(0), stepSeconds: 300 }, 1, 1],
  ])('falls back to chance without counts: %#', (input, factor, excess) => {
    const found = peakFactor(input);
    expect(found.source).toBe('formula');
    expect(found.factor).toBeCloseTo(factor, 1);
    expect(found.excess).toBeCloseTo(excess, 1);
  });
});

// prettier-ignore
/** Requests by second, the first ten minutes of a public trace (copyright Microsoft Corporation, MIT licence). */
const TRACE = [
  157, 158, 159, 160, 161, 160, 159, 160, 161, 162, 163, 162, 163, 162, 161, 162, 161, 160, 159, 158, 159, 160, 161,
  162, 163, 164, 163, 162, 161, 162, 161, 160, 159, 158, 157, 156, 155, 154, 153, 154, 155, 156, 155, 154, 153, 154,
  153, 154, 153, 152, 151, 150, 149, 148, 147, 148, 147, 146, 145, 144, 145, 144, 143, 144, 143, 142, 143, 142, 141,
  142, 141, 142, 141, 142, 143, 142, 141, 142, 143, 144, 145, 144, 145, 146, 145, 144, 145, 144, 145, 146, 145, 146,
  145, 144, 145, 144, 143, 142, 141, 140, 139, 138, 139, 139, 138, 139, 140, 139, 140, 139, 138, 137, 136, 135, 134,
  133, 132, 131, 132, 131, 132, 131, 130, 131, 130, 129, 130, 129, 130, 129, 128, 127, 126, 125, 124, 123, 124, 125,
  124, 123, 122, 121, 120, 119, 118, 117, 116, 115, 114, 115, 116, 115, 116, 115, 116, 115, 114, 113, 114, 113, 114,
  115, 114, 115, 114, 113, 112, 111, 112, 113, 114, 113, 112, 111, 110, 111, 112, 113, 112, 111, 110, 109, 110, 111,
  112, 113, 114, 113, 112, 111, 110, 109, 109, 110, 109, 108, 107, 108, 109, 108, 107, 108, 107, 106, 105, 104, 105,
  106, 107, 106, 107, 106, 106, 105, 104, 105, 106, 107, 108, 107, 108, 107, 106, 107, 106, 105, 104, 103, 102, 102,
  103, 102, 101, 102, 103, 102, 101, 100, 101, 102, 103, 102, 102, 101, 100, 101, 100, 101, 102, 101, 100, 99, 98,
  99, 98, 99, 98, 99, 98, 97, 98, 97, 98, 99, 100, 99, 98, 99, 100, 99, 98, 97, 96, 97, 96, 95, 96, 95, 96, 97, 96,
  95, 94, 93, 92, 93, 92, 91, 90, 89, 88, 89, 90, 89, 88, 89, 88, 87, 88, 89, 90, 89, 90, 89, 88, 87, 88, 87, 86, 87,
  88, 89, 88, 89, 88, 87, 86, 87, 88, 87, 88, 89, 88, 87, 88, 87, 88, 87, 86, 85, 86, 85, 86, 85, 86, 85, 85, 84, 85,
  86, 85, 86, 87, 86, 87, 88, 87, 88, 87, 86, 85, 84, 83, 82, 83, 82, 81, 82, 83, 84, 85, 86, 87, 88, 89, 89, 90, 89,
  88, 89, 88, 89, 90, 89, 90, 91, 90, 90, 91, 90, 89, 88, 87, 86, 87, 86, 85, 86, 87, 88, 89, 88, 89, 90, 91, 92, 93,
  94, 95, 96, 97, 96, 97, 96, 95, 96, 97, 98, 99, 98, 97, 96, 95, 94, 95, 94, 93, 94, 93, 94, 93, 94, 93, 93, 92, 93,
  92, 91, 90, 89, 90, 91, 90, 91, 90, 91, 90, 91, 92, 91, 90, 89, 88, 89, 90, 89, 88, 89, 89, 90, 89, 88, 89, 90, 91,
  92, 93, 93, 92, 93, 94, 95, 94, 95, 94, 95, 96, 97, 98, 99, 99, 98, 97, 98, 99, 98, 99, 98, 97, 98, 99, 100, 99,
  98, 97, 96, 97, 97, 96, 95, 94, 93, 94, 95, 94, 93, 94, 95, 94, 95, 96, 97, 96, 95, 94, 93, 94, 93, 94, 93, 92, 93,
  92, 92, 91, 90, 91, 92, 93, 92, 91, 90, 91, 90, 89, 88, 89, 90, 89, 88, 87, 88, 89, 90, 91, 92, 91, 90, 89, 90, 89,
  88, 89, 88, 89, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 99, 99, 98, 99, 100, 101, 102, 101, 100, 101,
  100, 101, 102, 103, 104, 105, 104, 105, 106, 107, 108, 108, 109, 110, 109, 108, 107, 108, 109, 108, 107, 108, 109,
  108, 107, 106, 105, 104, 103, 102, 101, 100,
];

describe('peakFactor on a real trace by second', () => {
  it('lies where such traces were measured: 1.06 to 1.54 times the mean of five minutes', () => {
    const { factor, steps, source } = peakFactor({ counts: TRACE, stepSeconds: 300, quantile: 0.5 });
    expect({ steps, source }).toEqual({ steps: 2, source: 'counts' });
    expect(factor).toBeGreaterThan(1.05);
    expect(factor).toBeLessThan(1.6);
  });
});
