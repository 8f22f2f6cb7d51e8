import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { answerQuery } from './aggregate.js';
import { InvalidMetricQueryError } from './errors.js';
import type { AggregateFunction, MetricQuery, MetricRow, MetricsStore } from './port.js';

const SLOW_MS = 60_000;
const FUNCTIONS: readonly AggregateFunction[] = ['mean', 'min', 'max', 'sum', 'count', 'last'];

/** What every store must answer to fields and aggregates: what `answerQuery` says. `store` gives the open store. */
export function queriesContract(store: () => MetricsStore): void {
  const both = async (written: readonly MetricRow[], query: MetricQuery): Promise<readonly MetricRow[]> => {
    const found = await store().query(query);
    expectSame(found, answerQuery(written, query));
    return found;
  };
  const everything = { measurement: 'service', fromMs: 0, toMs: 1e9 };

  it('gives only the fields asked for, and no row that has none of them', async () => {
    const rows = [row(1000, { a: 1, b: 2 }), row(2000, { b: 3 }), row(3000, { a: 0, c: 4 })];
    await store().write(rows);
    const found = await both(rows, { ...everything, fields: ['a', 'c'] });
    expect(found).toEqual([row(1000, { a: 1 }), row(3000, { a: 0, c: 4 })]);
    expect(await both(rows, { ...everything, fields: ['none'] })).toEqual([]);
    expect(await both(rows, { ...everything, fields: [] })).toEqual([]);
  });

  it.each(FUNCTIONS)('aggregates by %s: one row a series and bucket that has any value', async (by) => {
    const rows = [
      row(0, { a: -2, b: 0 }),
      row(999, { a: 4.5 }),
      row(1000, { a: 0 }),
      row(4000, { b: -1.25 }, { service: 'pay' }),
      row(4999, { a: 7, b: 3 }, { service: 'pay' }),
      row(4200, { b: 9 }),
    ];
    // The newest by time is not the one that was written last.
    await store().write([...rows].reverse());
    const found = await both(rows, { ...everything, aggregate: { everyMs: 1000, by } });
    expect(found.map((r) => r.at)).toEqual([0, 1000, 4000, 4000]);
    await both(rows, { ...everything, fields: ['b'], aggregate: { everyMs: 3000, by } });
    await both(rows, { ...everything, tags: { service: 'pay' }, aggregate: { everyMs: 3_600_000, by } });
  });

  it('begins buckets at whole multiples since the epoch, and leaves out what from and to cut off', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => row(1_700_000_001_000 + i * 1000, { a: i, b: -i }));
    await store().write(rows);
    for (const everyMs of [4000, 7000, 60_000, 3_600_000]) {
      for (const by of FUNCTIONS) {
        const query = { measurement: 'service', fromMs: 1_700_000_006_500, toMs: 1_700_000_031_000 };
        const found = await both(rows, { ...query, aggregate: { everyMs, by } });
        expect(found.every((r) => r.at % everyMs === 0)).toBe(true);
      }
    }
  });

  it('aggregates what replaced a value, not what was replaced', async () => {
    const rows = [row(1000, { a: 100, b: 1 }), row(2000, { a: 2 }), row(1000, { a: 4 })];
    for (const written of rows) await store().write([written]);
    for (const by of FUNCTIONS) await both(rows, { ...everything, aggregate: { everyMs: 60_000, by } });
    const [found] = await store().query({ ...everything, aggregate: { everyMs: 60_000, by: 'max' } });
    expect(found).toEqual(row(0, { a: 4, b: 1 }));
  });

  it('refuses buckets that have no width', async () => {
    for (const everyMs of [0, -1000, 0.5, Number.NaN]) {
      const query: MetricQuery = { ...everything, aggregate: { everyMs, by: 'mean' } };
      await expect(store().query(query)).rejects.toThrow(InvalidMetricQueryError);
    }
  });

  it(
    'answers any query over any rows as the reference does',
    async () => {
      let run = 0;
      const property = fc.asyncProperty(batchesArbitrary, fc.array(queryArbitrary, { minLength: 4 }), async (b, q) => {
        // A measurement of its own stands for an empty store, which may take long to make.
        const measurement = `any ${(run += 1)}`;
        const batches = b.map((batch) => batch.map((r) => ({ ...r, measurement })));
        for (const batch of batches) await store().write(batch);
        for (const query of q) await both(batches.flat(), { ...query, measurement });
      });
      await fc.assert(property, { numRuns: 25 });
    },
    SLOW_MS,
  );

  it(
    'takes 30,000 rows of 20 series in one batch and finds and aggregates a few of them',
    async () => {
      const rows = Array.from({ length: 30_000 }, (_, i) =>
        row(Math.floor(i / 20) * 1000, { rps: i, p99Ms: i / 7, errors: 0 }, { region: 'eu', service: `s${i % 20}` }),
      );
      await store().write(rows);
      const tags = { service: 's7' };
      const found = await both(rows, { measurement: 'service', tags, fromMs: 500_000, toMs: 510_000 });
      expect(found).toHaveLength(10);
      expect(found[0]?.fields['rps']).toBe(500 * 20 + 7);
      expect(await store().query(everything)).toHaveLength(30_000);
      const means = await both(rows, { ...everything, aggregate: { everyMs: 300_000, by: 'mean' } });
      expect(means).toHaveLength(20 * 5);
    },
    SLOW_MS,
  );
}

const batchesArbitrary = fc.array(
  fc.array(
    fc.record({
      measurement: fc.constant('any'),
      tags: fc.constantFrom<Record<string, string>[]>(
        { service: 'shop' },
        { service: 'pay' },
        { service: 'pay', host: 'x' },
      ),
      // Few enough times that some are written twice; over two hours, so that blocks and partitions are crossed.
      at: fc.oneof(
        fc.integer({ min: 3590, max: 3620 }).map((second) => second * 1000),
        fc.integer({ min: 0, max: 8_000_000 }),
      ),
      fields: fc.dictionary(
        fc.constantFrom('a', 'b', 'c'),
        fc.oneof(
          fc.integer({ min: -5, max: 5 }),
          // Adding 0 makes 0 of -0, which not every store tells apart.
          fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => value + 0),
        ),
        { minKeys: 1 },
      ),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  { minLength: 1, maxLength: 4 },
);

const aggregateArbitrary = fc.record({
  everyMs: fc.constantFrom(1000, 7000, 60_000, 120_000, 420_000, 3_600_000, 86_400_000),
  by: fc.constantFrom(...FUNCTIONS),
});

const queryArbitrary: fc.Arbitrary<MetricQuery> = fc
  .record({
    tags: fc.constantFrom<Record<string, string>[]>({}, { service: 'pay' }, { host: 'x' }),
    range: fc.constantFrom([0, 9e6], [3_595_500, 3_610_000], [60_000, 3_600_000], [1, 7_999_999]),
    fields: fc.option(fc.constantFrom(['a'], ['b', 'c'], ['c', 'none'])),
    aggregate: fc.option(aggregateArbitrary, { freq: 6 }),
  })
  .map(({ tags, range: [fromMs = 0, toMs = 0], fields, aggregate }) => ({
    measurement: 'any',
    tags,
    fromMs,
    toMs,
    ...(fields === null ? {} : { fields }),
    ...(aggregate === null ? {} : { aggregate }),
  }));

/** Time order is demanded; the order of series at one time is the store's own. Sums may round by the order of adding. */
function expectSame(found: readonly MetricRow[], expected: readonly MetricRow[]): void {
  expect(found.map((r) => r.at)).toEqual([...found.map((r) => r.at)].sort((a, b) => a - b));
  const [got, wanted] = [inOrder(found), inOrder(expected)];
  expect(got.map(({ key, at, names }) => ({ key, at, names }))).toEqual(
    wanted.map(({ key, at, names }) => ({ key, at, names })),
  );
  const wrong = got.flatMap((r, i) =>
    r.values.flatMap((value, j) => {
      const should = wanted[i]?.values[j] ?? Number.NaN;
      const close = Math.abs(value - should) <= 1e-7 + 1e-12 * Math.abs(should);
      return close ? [] : [{ at: r.at, key: r.key, name: r.names[j], value, should }];
    }),
  );
  expect(wrong).toEqual([]);
}

function inOrder(
  rows: readonly MetricRow[],
): { key: string; at: number; names: readonly string[]; values: readonly number[] }[] {
  return rows
    .map(({ measurement, tags, at, fields }) => {
      const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        key: JSON.stringify([measurement, Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))]),
        at,
        names: sorted.map(([name]) => name),
        values: sorted.map(([, value]) => value),
      };
    })
    .sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

/** A row of the contracts' measurement. */
export function row(
  at: number,
  fields: Record<string, number>,
  tags: Record<string, string> = { service: 'shop' },
): MetricRow {
  return { measurement: 'service', tags, at, fields };
}
