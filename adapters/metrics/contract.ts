import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProxySnapshot, ServiceCounters } from '../../core/spec/observation.js';
import { queriesContract, row } from './contractQueries.js';
import { InvalidMetricRowError, MetricsStoreClosedError } from './errors.js';
import type { MetricRow, MetricsStore } from './port.js';

/** One empty place for metrics; `open` may be called again after `close`, and finds what was written. */
export interface MetricsPlace {
  open(): Promise<MetricsStore>;
  destroy(): Promise<void>;
}

/** A server may have to make a place first. */
const OPEN_MS = 30_000;

/** What every metrics store must do. `create` gives a fresh, empty place for each test. */
export function metricsStoreContract(name: string, create: () => Promise<MetricsPlace>): void {
  describe(`${name} as a metrics store`, () => {
    let place: MetricsPlace;
    let store: MetricsStore;
    beforeEach(async () => {
      place = await create();
      store = await place.open();
    }, OPEN_MS);
    afterEach(async () => {
      await store.close();
      await place.destroy();
    }, OPEN_MS);
    const all = async (measurement = 'service'): Promise<readonly MetricRow[]> =>
      store.query({ measurement, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });

    it('gives back what was written, in time order, however it came', async () => {
      await store.write([row(3000, { rps: 3 }), row(1000, { rps: 1 }, { service: 'pay' }), row(2000, { rps: 2 })]);
      expect((await all()).map((r) => r.fields['rps'])).toEqual([1, 2, 3]);
      expect((await all())[0]).toEqual(row(1000, { rps: 1 }, { service: 'pay' }));
    });

    it('replaces the named fields of the same key and time, and no others', async () => {
      await store.write([row(1000, { rps: 1, p99Ms: 80 })]);
      await store.write([row(1000, { rps: 2.5, errors: 1 })]);
      expect(await all()).toEqual([row(1000, { rps: 2.5, p99Ms: 80, errors: 1 })]);
    });

    it('lets the last of equal keys in one batch win', async () => {
      await store.write([row(1000, { rps: 1 }), row(1000, { rps: 2 })]);
      expect(await all()).toEqual([row(1000, { rps: 2 })]);
    });

    it('takes tags for a set: their order means nothing', async () => {
      await store.write([row(1000, { a: 1 }, { region: 'eu', host: 'x' })]);
      await store.write([row(1000, { b: 2 }, { host: 'x', region: 'eu' })]);
      expect(await all()).toEqual([row(1000, { a: 1, b: 2 }, { region: 'eu', host: 'x' })]);
    });

    it('keeps numbers exactly', async () => {
      const fields = { tenth: 0.1, tiny: 5e-300, big: 2 ** 53 - 1, negative: -1.5, zero: 0, third: 1 / 3 };
      await store.write([row(1000, fields)]);
      await store.write([row(1000, { other: 1e21 })]);
      expect((await all())[0]?.fields).toEqual({ ...fields, other: 1e21 });
    });

    it('matches every named tag, and rows that have more', async () => {
      const tags: Record<string, string>[] = [
        { region: 'eu', service: 'shop' },
        { region: 'eu', service: 'pay' },
        { region: 'us', service: 'shop' },
        { region: 'eu' },
      ];
      await store.write(tags.map((t, i) => row(1000 + i, { i }, t)));
      const found = async (wanted: Record<string, string>): Promise<unknown[]> => {
        const rows = await store.query({ measurement: 'service', tags: wanted, fromMs: 0, toMs: 9999 });
        return rows.map((r) => r.fields['i']);
      };
      expect(await found({})).toEqual([0, 1, 2, 3]);
      expect(await found({ region: 'eu' })).toEqual([0, 1, 3]);
      expect(await found({ region: 'eu', service: 'shop' })).toEqual([0]);
      expect(await found({ service: 'she"op' })).toEqual([]);
    });

    it('takes from, leaves to', async () => {
      await store.write([1000, 2000, 3000].map((at) => row(at, { at })));
      const found = await store.query({ measurement: 'service', fromMs: 1000, toMs: 3000 });
      expect(found.map((r) => r.at)).toEqual([1000, 2000]);
      expect(await store.query({ measurement: 'service', fromMs: 1000, toMs: 1000 })).toEqual([]);
    });

    it('keeps measurements apart', async () => {
      await store.write([row(1000, { rps: 1 }), { ...row(1000, { rps: 2 }), measurement: 'other' }]);
      expect((await all('other'))[0]?.fields).toEqual({ rps: 2 });
      expect(await all('none')).toEqual([]);
    });

    it('refuses what is no number, and writes nothing of that batch', async () => {
      await expect(store.write([row(1000, { rps: 1 }), row(2000, { rps: Number.NaN })])).rejects.toThrow(
        InvalidMetricRowError,
      );
      await expect(store.write([row(1000, {})])).rejects.toThrow(InvalidMetricRowError);
      expect(await all()).toEqual([]);
    });

    it('finds everything again after it was closed and opened', async () => {
      await store.write([row(1000, { rps: 1 })]);
      await store.putSnapshots('eu', [snapshot('a', 1000)]);
      await store.close();
      store = await place.open();
      expect(await all()).toEqual([row(1000, { rps: 1 })]);
      expect(await store.latestSnapshots('eu', 1000)).toEqual([snapshot('a', 1000)]);
      await store.write([row(1000, { p99Ms: 5 })]);
      expect(await all()).toEqual([row(1000, { rps: 1, p99Ms: 5 })]);
    });

    it('gives the newest snapshots taken at or before a time, as one set', async () => {
      const early = [snapshot('a', 1000), snapshot('b', 1010)];
      const late = [snapshot('a', 2000), snapshot('b', 2010)];
      await store.putSnapshots('eu', late);
      await store.putSnapshots('eu', early);
      await store.putSnapshots('us', [snapshot('c', 1500)]);
      await store.putSnapshots('eu', []);
      expect(await store.latestSnapshots('eu', 9999)).toEqual(late);
      expect(await store.latestSnapshots('eu', 2010)).toEqual(late);
      expect(await store.latestSnapshots('eu', 2009)).toEqual(early);
      expect(await store.latestSnapshots('eu', 1009)).toEqual([]);
      expect(await store.latestSnapshots('none', 9999)).toEqual([]);
    });

    it('keeps names and tags apart, whatever characters they have', async () => {
      const odd = [
        'a b',
        'a,b',
        'a=b',
        'a"b',
        "a'b",
        'a\\b',
        'ä-β-日本',
        '{"a":1}',
        '$a',
        'a|b',
        'a/b#c',
        '%20',
        '😀',
        ' ',
      ];
      const rows = odd.map((text, i) => ({
        measurement: 'odd, =name"',
        tags: { region: 'eu', [`key ${text}`]: text },
        at: 1000 + i,
        fields: { [`field ${text}`]: i },
      }));
      await store.write(rows);
      expect(await all('odd, =name"')).toEqual(rows);
      for (const written of rows) {
        const { measurement, tags, at } = written;
        expect(await store.query({ measurement, tags, fromMs: 0, toMs: 9999 })).toEqual([written]);
        const fields = Object.keys(written.fields);
        const query = { measurement, fields, fromMs: 0, toMs: 9999, aggregate: { everyMs: 1, by: 'max' } } as const;
        expect(await store.query(query)).toEqual([{ ...written, at }]);
      }
    });

    it('counts the values that it stored since it was opened', async () => {
      expect(await store.health()).toMatchObject({ state: 'ok', storedPoints: 0, queuedPoints: 0, queuedBytes: 0 });
      await store.write([row(1000, { a: 1, b: 2 }), row(2000, { a: 3 })]);
      await store.write([row(2000, { a: 4 })]);
      await expect(store.write([row(3000, { a: 1 }), row(3000, {})])).rejects.toThrow(InvalidMetricRowError);
      expect(await store.health()).toMatchObject({ state: 'ok', storedPoints: 4, queuedPoints: 0, queuedBytes: 0 });
      await store.close();
      const { state, detail } = await store.health();
      expect(state).toBe('closed');
      expect(detail).not.toBe('');
    });

    queriesContract(() => store);

    it('says so when it is used after it was closed, and closes twice without complaint', async () => {
      await store.close();
      await store.close();
      const query = { measurement: 'service', fromMs: 0, toMs: 1 };
      await expect(store.write([row(1, { a: 1 })])).rejects.toThrow(MetricsStoreClosedError);
      await expect(store.query(query)).rejects.toThrow(MetricsStoreClosedError);
      await expect(store.putSnapshots('eu', [snapshot('a', 1)])).rejects.toThrow(MetricsStoreClosedError);
      await expect(store.latestSnapshots('eu', 1)).rejects.toThrow(MetricsStoreClosedError);
    });
  });
}

function snapshot(host: string, at: number): ProxySnapshot {
  const counters: ServiceCounters = {
    offered: at,
    responses2xx: at - 1,
    responses4xx: 0,
    responses5xx: 1,
    rateLimited: 0,
    rateLimitWould: 0,
    breakerOverflow: 0,
    timeouts: 0,
    retries: 0,
    connectFailures: 0,
    active: 3,
    healthyByRegion: { eu: 2 },
    requestsByRegion: { eu: at },
    latencyBuckets: [
      { lowMs: 0.5, highMs: 1, count: at },
      { lowMs: 1, highMs: Infinity, count: 1 },
    ],
  };
  return { host, at, services: { shop: counters } };
}
