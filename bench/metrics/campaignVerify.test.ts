import { describe, expect, it } from '@jest/globals';
import { compareSeries } from './campaignVerify.js';
import { rowsAt } from './load.js';

const load = { services: 40, metrics: 10, seed: 7 };

describe('compareSeries', () => {
  const rows = Array.from({ length: 5 }, (_, index) => rowsAt(load, index * 1_000, 1)).flat();

  it('finds rows that are missing, more, out of order or changed', () => {
    const compare = (found: typeof rows): string[] => compareSeries(load, 0, 0, 5, found);
    expect(compare(rows)).toEqual([]);
    expect(compare(rows.slice(1))).toEqual(['service-0000: 1 of 5 rows missing, first at 0']);
    expect(compare([...rows, ...rowsAt(load, 5_000, 1)])).toEqual(['service-0000: 6 rows, 5 were written']);
    expect(compare(rows.toReversed())).toEqual(['service-0000: time does not rise at row 1']);
    const changed = rows.map((row) => (row.at === 2_000 ? { ...row, fields: { ...row.fields, metric_3: -1 } } : row));
    expect(compare(changed)).toEqual([expect.stringMatching(/^service-0000 at 2000: metric_3 is -1, .* was written$/)]);
  });
});

describe('rowsAt', () => {
  it('gives the same rows for the same seed and second, and others for others', () => {
    const rows = rowsAt(load, 86_400_000);
    expect(rows).toHaveLength(40);
    expect(rowsAt(load, 86_400_000)).toEqual(rows);
    expect(rowsAt({ ...load, seed: 8 }, 86_400_000)).not.toEqual(rows);
    const values = rows.flatMap(({ fields }) => Object.values(fields));
    expect(values.every((value) => Number.isFinite(value) && value > 0)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(300);
  });
});
