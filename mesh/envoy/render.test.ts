import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveIntent } from '../../core/spec/live.js';
import type { SettingValue } from '../../core/spec/settings.js';
import { planOf } from '../../test/fixtures/planned.js';
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
    expect(managedOrder({ ...files(), 'validate.yaml': '' })).toEqual([
      'dyn/eds-cart.yaml',
      'dyn/eds-front.yaml',
      'dyn/eds-stock.yaml',
      'dyn/cds.yaml',
      'dyn/rds-ingress.yaml',
      'dyn/rds-mesh.yaml',
      'dyn/lds.yaml',
    ]);
  });
});

describe('flatten', () => {
  it('holds all that the files hold, and names no file', () => {
    const flat = flatten(files());
    expect(flat).not.toMatch(/path_config_source|rds:|eds_config/);
    const read = parse(flat) as { static_resources: { clusters: object[]; listeners: object[] } };
    expect(read.static_resources.clusters).toHaveLength(3);
    expect(read.static_resources.listeners).toHaveLength(2);
    expect(flat).toContain('host_rewrite_literal: stock');
  });

  it('names the file that is missing', () => {
    const { 'dyn/eds-cart.yaml': _, ...rest } = files();
    expect(() => flatten(rest)).toThrow('dyn/eds-cart.yaml is missing');
  });
});
