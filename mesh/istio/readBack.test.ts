import { describe, expect, it } from '@jest/globals';

import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSettings, SettingField } from '../../core/spec/settings.js';
import { readIstioFixture } from '../../test/fixtures/istio.js';
import { ISTIO_PROJECTION } from './projection.js';
import { compareIstioReadBack, readBackIstio } from './readBack.js';

const region = readIstioFixture('region') as RegionSpec;
const calls = readIstioFixture('calls') as Record<string, Record<string, number>>;
const dump = (name: string): string => JSON.stringify(readIstioFixture(name));
const liveOf = (name: string): LiveMesh => readIstioFixture(`${name}.live`) as LiveMesh;

function changed(live: LiveMesh, name: string, change: (service: LiveService) => Partial<LiveService>): LiveMesh {
  return { ...live, services: live.services.map((one) => (one.service === name ? { ...one, ...change(one) } : one)) };
}

const fields = (live: LiveMesh, proxy: string): string[] =>
  compareIstioReadBack(live, region, dump(proxy), { calls }).map(({ service, field }) => `${service}.${field}`);

describe('compareIstioReadBack', () => {
  it.each(['shared', 'failover'])('finds what a real istiod made of the files equal: %s', (name) => {
    expect(compareIstioReadBack(liveOf(name), region, dump(`${name}.edge`), { calls })).toEqual([]);
    expect(compareIstioReadBack(liveOf(name), region, dump(`${name}.cart`), { calls })).toEqual([]);
  });

  it('knows endpoints by the names they were given', () => {
    const { front } = readBackIstio(dump('names.edge'), region);
    expect(front?.endpoints['north']).toEqual(['127.0.0.1:9101', 'localhost:9100']);
    expect(compareIstioReadBack(liveOf('names'), region, dump('names.edge'), { calls })).toEqual([]);
  });

  const seated = (seats: readonly string[]): SettingField[] =>
    (Object.keys(ISTIO_PROJECTION) as SettingField[]).filter((field) => seats.includes(ISTIO_PROJECTION[field].seat));
  const other = ({ settings }: LiveService, field: SettingField): Partial<LiveService> => {
    const value = field === 'lb.policy' ? 'RANDOM' : Number(settings[field]) + 1;
    return { settings: { ...settings, [field]: value } as ServiceSettings };
  };

  it.each(seated(['caller', 'route', 'edge']))('sees at the edge that %s is another', (field) => {
    const live = changed(liveOf('shared'), 'front', (one) => other(one, field));
    expect(fields(live, 'shared.edge')).toEqual([`front.${field}`]);
  });

  it.each(seated(['callee', 'edge']))('sees at the callee that %s is another', (field) => {
    const live = changed(liveOf('shared'), 'cart', (one) => other(one, field));
    expect(fields(live, 'shared.cart')).toEqual([`cart.${field}`]);
  });

  it('looks at every field that Istio carries', () => {
    const nowhere = seated(['nowhere']);
    expect(nowhere).toEqual(nowhere.filter((field) => field.startsWith('health.')));
    const live = liveOf('shared');
    const all = live.services[0]?.settings ?? {};
    expect(Object.keys(ISTIO_PROJECTION).sort()).toEqual(Object.keys(all).sort());
  });

  it('sees weights, endpoints, entries and services', () => {
    const live = liveOf('shared');
    const moved = changed(live, 'front', () => ({ weights: { north: 70, south: 30, east: 0 } }));
    expect(fields(moved, 'shared.edge')).toEqual(['front.weight.north', 'front.weight.south']);
    const fewer = changed(live, 'front', ({ endpoints }) => ({ endpoints: endpoints.slice(1) }));
    expect(fields(fewer, 'shared.edge')).toEqual(['front.endpoints']);
    const entry = changed(live, 'stock', () => ({ entryPathPrefix: '/stock' }));
    expect(fields(entry, 'shared.edge')).toContain('stock.entry');
    const renamed = changed(live, 'stock', () => ({ service: 'stack' }));
    expect(fields(renamed, 'shared.edge')).toEqual(['stack.service']);
    const standby = changed(liveOf('failover'), 'front', () => ({ failover: ['east'] }));
    expect(fields(standby, 'failover.edge')).toEqual(['front.endpoints.south']);
  });

  it('does not ask a proxy for services that it was not told of, and asks for those that it should be', () => {
    const more = { ...calls, cart: { ...calls['cart'], front: 1 } };
    const mismatches = compareIstioReadBack(liveOf('shared'), region, dump('shared.cart'), { calls: more });
    expect(mismatches).toEqual([
      { host: 'cart', service: 'front', field: 'service', expected: 'front', actual: undefined },
    ]);
  });
});

describe('readBackIstio', () => {
  it('gives what runs in the plan’s own terms', () => {
    const { front } = readBackIstio(dump('shared.edge'), region);
    const live = liveOf('shared').services.find(({ service }) => service === 'front');
    expect(front?.weights).toEqual({ north: live?.weights['north'], south: live?.weights['south'] });
    expect(front?.entry).toBe(true);
    expect(front?.settings['timeout.requestMs']).toBe(live?.settings['timeout.requestMs']);
  });

  it('refuses what is no dump', () => {
    expect(() => readBackIstio('{', region)).toThrow(SyntaxError);
    expect(() => readBackIstio('{"configs": []}', region)).toThrow(TypeError);
  });
});
