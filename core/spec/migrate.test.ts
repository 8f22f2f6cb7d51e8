import { describe, expect, it } from '@jest/globals';
import type { RegionVersions } from './migrate.js';
import { REGION_VERSIONS, migrateRegion } from './migrate.js';
import { ok, refused } from './problem.js';

/** A history that never was: `places` became `regions`, then `name` was asked for. */
const CHAIN: RegionVersions = {
  current: 'psmg/v3',
  migrations: {
    'psmg/v1': { to: 'psmg/v2', migrate: ({ places, ...rest }) => ok({ ...rest, regions: places }) },
    'psmg/v2': {
      to: 'psmg/v3',
      migrate: (document) =>
        document['name'] === 'x'
          ? refused([{ code: 'no-name', field: 'name', message: 'x is no name' }])
          : ok({ ...document, named: true }),
    },
  },
};

describe('migrateRegion', () => {
  it('leaves a document of this version, and one that names none, as they are', () => {
    const document = { apiVersion: REGION_VERSIONS.current, name: 'eu' };
    expect(migrateRegion(document)).toEqual(ok(document));
    expect(migrateRegion({ name: 'eu' })).toEqual(ok({ name: 'eu' }));
  });

  it('takes an older one through every step, and says so', () => {
    const old = Object.freeze({ apiVersion: 'psmg/v1', places: ['a'], name: 'eu' });
    const migrated = migrateRegion(old, CHAIN);
    expect(migrated).toMatchObject({ ok: true, value: { apiVersion: 'psmg/v3', regions: ['a'], named: true } });
    expect(migrated.ok && migrated.warnings.map(({ message }) => message)).toEqual([
      'psmg/v1 is read as psmg/v2',
      'psmg/v2 is read as psmg/v3',
    ]);
  });

  it('passes on what a step cannot carry over', () => {
    const migrated = migrateRegion({ apiVersion: 'psmg/v2', name: 'x' }, CHAIN);
    expect(migrated).toMatchObject({ ok: false, problems: [{ code: 'no-name' }] });
  });

  it.each([
    ['psmg/v2', REGION_VERSIONS, 'psmg/v2 is newer than this program', 'use a newer psmg, or a file of this version'],
    ['psmg/v1alpha1', REGION_VERSIONS, 'psmg/v1alpha1 is no version that it reads', 'write psmg/v1'],
    ['istio/v1', CHAIN, 'istio/v1 is no version that it reads', 'write psmg/v3'],
  ])('refuses %s', (apiVersion, versions, message, fix) => {
    expect(migrateRegion({ apiVersion }, versions)).toMatchObject({ ok: false, problems: [{ message, fix }] });
  });

  it('ends where steps lead in a circle', () => {
    const circle: RegionVersions = {
      current: 'psmg/v9',
      migrations: {
        'psmg/v1': { to: 'psmg/v2', migrate: (document) => ok({ ...document }) },
        'psmg/v2': { to: 'psmg/v1', migrate: (document) => ok({ ...document }) },
      },
    };
    expect(migrateRegion({ apiVersion: 'psmg/v1' }, circle).ok).toBe(false);
  });
});
