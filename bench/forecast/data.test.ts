import { describe, expect, it } from '@jest/globals';

import { meansByStep, timeOf } from './sets/csv.js';
import { lastWindows } from './sets/windows.js';

describe('meansByStep', () => {
  it('leaves out steps at the ends that are not full, and fills holes with the step before', () => {
    const rows = [3, 4, 6, 7, 8, 12, 13, 14, 15].map((at) => ({ at: at * 10, value: at }));
    // Steps of 30: [3, 4], [6, 7, 8], none, [12, 13, 14], [15].
    expect(meansByStep(rows, 30)).toEqual({ startMs: 60, stepMs: 30, values: [7, 7, 13] });
  });

  it('reads the times of all files as UTC', () => {
    expect(timeOf('2014-04-10 00:04:00')).toBe(Date.UTC(2014, 3, 10, 0, 4));
    expect(timeOf('2008-01-30')).toBe(Date.UTC(2008, 0, 30));
    expect(timeOf('1/7/20')).toBe(Date.UTC(2020, 6, 1));
  });
});

describe('lastWindows', () => {
  const series = { startMs: 0, stepMs: 1, values: [0, 1, 2, 3, 4, 5, 6, 7] };

  it('ends with the series, and no window sees what it is asked', () => {
    const windows = lastWindows({ id: 'a', series }, { windows: 2, horizon: 3, stride: 2, least: 2 });
    expect(windows.map(({ history, actual }) => [history.values, actual])).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [
        [0, 1, 2, 3, 4],
        [5, 6, 7],
      ],
    ]);
  });

  it('refuses more windows than there is history for', () => {
    expect(() => lastWindows({ id: 'a', series }, { windows: 3, horizon: 2, least: 4 })).toThrow(/only 2 steps/);
  });
});
