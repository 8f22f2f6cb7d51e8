import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';

import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveIntent, LiveMesh } from '../../core/spec/live.js';
import type { ServiceSettings, SettingValue } from '../../core/spec/settings.js';
import { planOf } from '../../test/fixtures/planned.js';
import type { Change } from '../../test/fixtures/proxiedRegion.js';
import { forecastOf, hostSpec, serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { flatten } from './flatten.js';
import { managedOrder, render } from './render.js';

const region = shopRegion();
const [host = hostSpec({ name: 'none' })] = region.delivery.hosts;
const plan = planOf(region, forecastOf({ front: 400 }));
const FULL: LiveIntent = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };

function files(change: Partial<LiveIntent> = {}): FileSet {
  return render(liveMesh(region, plan, planHash(plan), { ...FULL, ...change }), region, host);
}

/** A host that receives for one instance of `cart`. */
const proxied = {
  ...host,
  proxy: {
    ...host.proxy,
    inbound: [
      { service: 'cart', socket: { address: '127.0.0.1', port: 9200 }, app: { address: '127.0.0.1', port: 9299 } },
    ],
  },
};

const TLS = {
  ingress: { certificateFile: '/etc/certs/shop.crt', privateKeyFile: '/etc/certs/shop.key' },
  mesh: { certificateFile: '/etc/certs/a.crt', privateKeyFile: '/etc/keys/a.key', caFile: '/etc/certs/ca.crt' },
};

/** All live, one endpoint of `cart` watched only, and `cart` changed. */
function whole({ settings, ...cart }: Change = {}): LiveMesh {
  const live = liveMesh(region, plan, planHash(plan), FULL);
  const services = live.services.map(({ unplanned: _, ...service }) => {
    if (service.service !== 'cart') return service;
    const unplanned = [{ address: '127.0.0.1', port: 9209 }];
    return { ...service, unplanned, ...cart, settings: { ...service.settings, ...settings } };
  });
  return { ...live, services };
}

function changedBy(...overrides: [string, SettingValue][]): string[] {
  const [before, after] = [
    files(),
    files({ overrides: overrides.map(([address, value]) => ({ address, value, who: 'ada', why: 'x' })) }),
  ];
  expect(Object.keys(after)).toEqual(Object.keys(before));
  return Object.keys(before).filter((name) => before[name] !== after[name]);
}

describe('render', () => {
  it('gives the same bytes for the same input, and no moment in time', () => {
    expect(files()).toEqual(files());
    expect(Object.values(files()).join('')).not.toMatch(/version_info|20\d\d-\d\d-\d\d/);
  });

  it('touches only the files that carry what changed', () => {
    expect(changedBy(['cart.timeout.requestMs', 999])).toEqual(['dyn/rds-mesh.yaml']);
    expect(changedBy(['front.rateLimit.rps', 77])).toEqual(['dyn/rds-ingress.yaml', 'dyn/rds-mesh.yaml']);
    expect(changedBy(['cart.breaker.maxRequests', 77])).toEqual(['dyn/cds.yaml']);
    expect(changedBy(['cart.outlier.intervalMs', 777])).toEqual(['dyn/cds.yaml']);
    // Weights also change what can be served, and so the limits.
    expect(changedBy(['cart.weight.south', 30])).toEqual(['dyn/cds.yaml', 'dyn/eds-cart.yaml', 'dyn/rds-mesh.yaml']);
    const stages = [files({ stage: { localPercent: 0, enforceLimits: false } }), files()];
    expect(stages[0]?.['bootstrap.yaml']).toBe(stages[1]?.['bootstrap.yaml']);
    expect(stages[0]?.['dyn/lds.yaml']).toBe(stages[1]?.['dyn/lds.yaml']);
  });

  it('says why behind each value, and keeps a person’s words from becoming configuration', () => {
    const why = 'sale\nadmin: {address: x}\u2028# \u0085evil: 1';
    const overrides = [{ address: 'cart.breaker.maxRequests', value: 77, who: 'ada\r\nb: c', why }];
    const clusters = files({ overrides })['dyn/cds.yaml'] ?? '';
    expect(clusters).toContain('max_requests: 77 # override by ada b: c: sale admin: {address: x} # evil: 1\n');
    expect(Object.keys(parse(clusters) as object)).toEqual(['resources']);
    const wanted = parse(
      files({ overrides: [{ ...overrides[0], address: 'cart.breaker.maxRequests', value: 77, who: 'x', why: 'y' }] })[
        'dyn/cds.yaml'
      ] ?? '',
    ) as unknown;
    expect(parse(clusters)).toEqual(wanted);
  });

  it('keeps the exact rate where it is no whole number of tokens', () => {
    const overrides = [{ address: 'cart.rateLimit.rps', value: 1234.567, who: 'ada', why: 'x' }];
    const routes = files({ overrides })['dyn/rds-mesh.yaml'] ?? '';
    const [, tokens, interval] =
      /max_tokens.*\n\s+tokens_per_fill: (\d+) # override.*\n\s+fill_interval: ([\d.]+)s/.exec(routes) ?? [];
    expect(Number(tokens) / Number(interval)).toBeCloseTo(1234.567, 5);
  });

  it('matches the longest entry path first and only whole segments', () => {
    const services = ['/a', '/a/b/', '/c'].map((pathPrefix, i) =>
      serviceSpec({ name: `s${i}`, entry: { pathPrefix } }),
    );
    const entries = { ...region, services, graph: {} };
    const planned = planOf(entries, forecastOf({ s0: 1, s1: 1, s2: 1 }));
    const routes = render(liveMesh(entries, planned, '', FULL), entries, host)['dyn/rds-ingress.yaml'] ?? '';
    const file = parse(routes) as { resources: [{ virtual_hosts: [{ routes: { match: object }[] }] }] };
    expect(file.resources[0].virtual_hosts[0].routes.map((route) => route.match)).toEqual([
      { prefix: '/a/b/' },
      { path_separated_prefix: '/a' },
      { path_separated_prefix: '/c' },
      { prefix: '/' },
    ]);
  });

  it('moves what is named before what names it', () => {
    const all = { ...render(whole(), { ...region, tls: TLS }, proxied), 'validate.yaml': '' };
    expect(managedOrder(all)).toEqual([
      'dyn/sds-ingress.yaml',
      'dyn/sds-mesh-ca.yaml',
      'dyn/sds-mesh.yaml',
      'dyn/eds-cart.yaml',
      'dyn/eds-cart_unplanned.yaml',
      'dyn/eds-front.yaml',
      'dyn/eds-stock.yaml',
      'dyn/cds.yaml',
      'dyn/rds-inbound-cart-9200.yaml',
      'dyn/rds-ingress.yaml',
      'dyn/rds-mesh.yaml',
      'dyn/lds.yaml',
    ]);
  });

  it('gives a proxy in front of instances their limits, each in one file', () => {
    const at = (cart: Partial<ServiceSettings>): FileSet => render(whole({ settings: cart }), region, proxied);
    const changed = (cart: Partial<ServiceSettings>): string[] => {
      const [before, after] = [at({}), at(cart)];
      return Object.keys(before).filter((name) => before[name] !== after[name]);
    };
    expect(changed({ 'inbound.retryRps': 7.77 })).toEqual(['dyn/rds-inbound-cart-9200.yaml']);
    expect(changed({ 'inbound.maxRequests': 777 })).toEqual(['dyn/cds.yaml']);
    expect(changed({ 'lb.slowStartMs': 7777 })).toEqual(['dyn/cds.yaml']);
    const elsewhere = render(whole(), region, host);
    expect(elsewhere['dyn/cds.yaml']).not.toContain('inbound_');
    expect(elsewhere['dyn/lds.yaml']).not.toContain('inbound_');
  });

  it('names files of certificates and holds none, and nothing of TLS where the region has none', () => {
    const secured = render(whole(), { ...region, tls: TLS }, proxied);
    expect(secured['dyn/sds-ingress.yaml']).toContain('filename: /etc/certs/shop.crt');
    // Files in one folder are watched together.
    expect(secured['dyn/sds-ingress.yaml']).toContain('watched_directory');
    expect(secured['dyn/sds-mesh.yaml']).not.toContain('watched_directory');
    expect(secured['dyn/lds.yaml']?.match(/require_client_certificate: true/g)).toHaveLength(2);
    // Three services, and the endpoints of one that are not planned; its own instance is reached as it is.
    expect(secured['dyn/cds.yaml']?.match(/UpstreamTlsContext/g)).toHaveLength(4);
    expect(Object.values(render(whole(), region, proxied)).join('')).not.toMatch(/tls|sds/i);
  });

  it('splits a region’s weight among its zones by their instances, and keeps that of every region exact', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 100 }),
        (zones, percent) => {
          const endpoints = zones.map((zone, i) => ({ address: '127.0.0.1', port: 9000 + i, zone }));
          const weights = { north: percent, south: 100 - percent };
          const file = parse(
            render(whole({ endpoints, weights }), region, host)['dyn/eds-cart.yaml'] ?? '',
          ) as Assignments;
          const places = file.resources[0].endpoints.filter(({ priority }) => priority === 0);
          const total = places.reduce((sum, place) => sum + place.load_balancing_weight, 0);
          const own = places.filter(({ locality }) => locality.sub_zone === 'north');
          const ours = own.reduce((sum, place) => sum + place.load_balancing_weight, 0);
          expect(ours * 100).toBe(percent * total);
          for (const { locality, load_balancing_weight: weight, lb_endpoints: held } of own) {
            expect(held).toHaveLength(zones.filter((zone) => zone === locality.zone).length);
            expect(weight * zones.length).toBe(ours * held.length);
          }
        },
      ),
    );
  });
});

interface Assignments {
  resources: [
    {
      endpoints: {
        locality: { zone: string; sub_zone: string };
        priority: number;
        load_balancing_weight: number;
        lb_endpoints: object[];
      }[];
    },
  ];
}

describe('flatten', () => {
  it('holds all that the files hold, and names no file', () => {
    const flat = flatten(files());
    expect(flat).not.toMatch(/path_config_source|rds:|eds_config/);
    const read = parse(flat) as { static_resources: { clusters: object[]; listeners: object[] } };
    const clusters = Object.keys(files()).filter((file) => file.startsWith('dyn/eds-'));
    expect(read.static_resources.clusters).toHaveLength(clusters.length);
    expect(read.static_resources.listeners).toHaveLength(2);
    expect(flat).toContain('host_rewrite_literal: stock');
  });

  it('names the file that is missing', () => {
    const { 'dyn/eds-cart.yaml': _, ...rest } = files();
    expect(() => flatten(rest)).toThrow('dyn/eds-cart.yaml is missing');
  });
});
