import { describe, expect, it } from '@jest/globals';

import type { RegionSpec } from '../../core/spec/region.js';
import { mesh, region, service, specOf, specs } from '../../test/fixtures/istioObjects.js';
import type { Change, Json } from '../../test/fixtures/istioObjects.js';
import { istioChecker } from './check.js';
import { renderGatewayApi } from './gatewayApi.js';
import { lintIstio } from './lint.js';
import { renderIstio } from './render.js';

const checkIstio = istioChecker();

describe('ServiceEntry', () => {
  it('has the instances by zone and each neighbour as one endpoint, in the order in which they take over', () => {
    const spec = specOf('ServiceEntry', 'cart', {});
    expect(spec).toMatchObject({
      hosts: ['cart.default.svc.cluster.local'],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    });
    const within = (...ranks: number[]) => Object.fromEntries(ranks.map((rank) => [`psmg/within-${rank}`, 'in']));
    const rows = (spec['endpoints'] as Json[]).map((one) => [
      one['address'],
      one['locality'],
      one['ports'],
      one['labels'],
    ]);
    expect(rows).toEqual([
      ['10.0.0.1', 'north/north-a/north', { http: 9200 }, { app: 'cart', ...within(0, 1) }],
      ['10.0.0.3', 'north/north-a/north', { http: 9200 }, { app: 'cart', ...within(0, 1) }],
      ['10.0.0.2', 'north/north-b/north', { http: 9200 }, { app: 'cart', ...within(0, 1) }],
      ['127.0.0.1', 'south/south-a/south', { http: 7081 }, { app: 'cart', ...within(1) }],
      ['127.0.0.1', 'east/east-a/east', { http: 7082 }, { app: 'cart' }],
    ]);
  });

  it('resolves names, takes a namespace, and names what travels', () => {
    const named = { endpoints: [{ address: 'cart.internal', port: 9200 }] };
    expect(specOf('ServiceEntry', 'cart', named)['resolution']).toBe('DNS');
    expect(specOf('ServiceEntry', 'cart', {}, { namespace: 'shop' })['hosts']).toEqual(['cart.shop.svc.cluster.local']);
    const ports = (['http', 'http2', 'grpc', 'websocket', 'tcp'] as const).map(
      (protocol) => (specOf('ServiceEntry', 'cart', { protocol })['ports'] as Json[])[0],
    );
    expect(ports.map((port) => [port?.['protocol'], port?.['number']])).toEqual([
      ['HTTP', 80],
      ['HTTP2', 80],
      ['GRPC', 80],
      ['HTTP', 80],
      ['TCP', 9200],
    ]);
  });
});

describe('VirtualService', () => {
  const [unbegun, answers] = ['connect-failure,refused-stream,reset-before-request', 'reset,gateway-error'];
  const route = (change: Change): Json => {
    const spec = specOf('VirtualService', 'cart', change);
    return (spec['http'] as Json[])[0] ?? {};
  };

  it('says time-out, retries, and the name that neighbours know', () => {
    expect(route({})).toEqual({
      name: 'cart',
      rewrite: { authority: 'cart' },
      route: [{ destination: { host: 'cart.default.svc.cluster.local', port: { number: 80 } } }],
      timeout: '1.542s',
      retries: {
        attempts: 1,
        retryOn: unbegun,
        backoff: '0.005s',
        retryRemoteLocalities: true,
        retryIgnorePreviousHosts: true,
      },
    });
  });

  it('says that nothing is repeated, and no time-out of what lasts', () => {
    expect(route({ settings: { 'retry.maxPerRequest': 0 } })['retries']).toEqual({ attempts: 0 });
    expect(route({ protocol: 'websocket' })['timeout']).toBeUndefined();
    expect(specs(renderIstio(mesh(service({ protocol: 'tcp' })), region), 'VirtualService')).toEqual({});
  });

  it('repeats answers only of what may be repeated', () => {
    const retryOn = (change: Change) => (route(change)['retries'] as Json)['retryOn'];
    expect(retryOn({ idempotent: true })).toBe(`${unbegun},${answers}`);
    expect(retryOn({})).toBe(unbegun);
  });

  it('puts the paths of the edge in one object, the longest first, by whole parts', () => {
    const live = mesh(
      service({ service: 'a', entryPathPrefix: '/' }),
      service({ service: 'b', entryPathPrefix: '/shop' }),
      service({ service: 'c', entryPathPrefix: '/shop/cart/' }),
      service({ service: 'd', entryPathPrefix: '/x', protocol: 'tcp' }),
    );
    const edge = specs(renderIstio(live, region), 'VirtualService')['psmg-edge'];
    expect(edge).toMatchObject({ hosts: ['*'], gateways: ['default/psmg-edge'] });
    expect((edge?.['http'] as Json[]).map((one) => [one['name'], one['match']])).toEqual([
      ['c', [{ uri: { prefix: '/shop/cart/' } }]],
      ['b', [{ uri: { exact: '/shop' } }, { uri: { prefix: '/shop/' } }]],
      ['a', [{ uri: { prefix: '/' } }]],
    ]);
  });
});

describe('Gateway, Sidecar, EnvoyFilter, Telemetry', () => {
  it('opens the ingress port, with certificates where the region has them', () => {
    const server = (where: RegionSpec) => (specOf('Gateway', 'psmg-edge', {}, {}, where)['servers'] as Json[])[0];
    expect(server(region)).toEqual({ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] });
    const ingress = { certificateFile: '/c.pem', privateKeyFile: '/k.pem' };
    expect(server({ ...region, tls: { ingress } })).toMatchObject({
      port: { protocol: 'HTTPS' },
      tls: { mode: 'SIMPLE', serverCertificate: '/c.pem', privateKey: '/k.pem', minProtocolVersion: 'TLSV1_2' },
    });
  });

  it('tells a proxy of its callees alone, and limits what its instance has in hand', () => {
    const live = mesh(service({}), service({ service: 'stock' }));
    const calls = { cart: { stock: 1, gone: 2 }, stock: { cart: 0 } };
    const sidecars = specs(renderIstio(live, region, { calls }), 'Sidecar');
    expect(sidecars['cart']).toEqual({
      workloadSelector: { labels: { app: 'cart' } },
      inboundConnectionPool: {
        tcp: { maxConnections: 1_000_000 },
        http: { http2MaxRequests: 12, http1MaxPendingRequests: 12, maxRetries: 1 },
      },
      outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
      egress: [{ hosts: ['./stock.default.svc.cluster.local'] }],
    });
    expect(sidecars['stock']?.['egress']).toEqual([{ hosts: ['~/*'] }]);
    expect(specs(renderIstio(live, region), 'Sidecar')['cart']?.['egress']).toBeUndefined();
    const bytes = specOf('Sidecar', 'cart', { protocol: 'tcp' })['inboundConnectionPool'];
    expect(bytes).toEqual({ tcp: { maxConnections: 12 } });
  });

  const patches = (change: Change, name: string): Json[] =>
    specOf('EnvoyFilter', name, change)['configPatches'] as Json[];
  const bucket = (patch: Json | undefined, ...path: string[]): unknown =>
    path.reduce<unknown>((value, key) => (value as Json)[key], (patch?.['patch'] as Json)['value']);

  it('limits an entry on its route at the edge, exactly', () => {
    const [, route] = patches({ entryPathPrefix: '/', settings: { 'rateLimit.rps': 7.3 } }, 'psmg-edge');
    expect(route?.['match']).toMatchObject({
      context: 'GATEWAY',
      routeConfiguration: { vhost: { route: { name: 'cart' } } },
    });
    const limit = bucket(route, 'typed_per_filter_config', 'envoy.filters.http.local_ratelimit') as Json;
    expect(limit['token_bucket']).toEqual({ max_tokens: 150, tokens_per_fill: 7, fill_interval: '0.95890411s' });
    expect(limit['filter_enforced']).toEqual({ default_value: { numerator: 100, denominator: 'HUNDRED' } });
    expect(patches({ entryPathPrefix: '/' }, 'cart-inbound')).toHaveLength(1);
  });

  it('lets a repeat leave the region that failed, at callers and at the edge, where there is one', () => {
    const repeats = patches({}, 'psmg-repeats');
    expect(repeats.map((patch) => patch['match'])).toEqual([
      { context: 'SIDECAR_OUTBOUND', routeConfiguration: { vhost: { route: { name: 'cart', action: 'ROUTE' } } } },
    ]);
    const [, edge] = patches({ entryPathPrefix: '/' }, 'psmg-edge');
    for (const patch of [repeats[0], edge]) {
      const priority = bucket(patch, 'route', 'retry_policy', 'retry_priority') as Json;
      expect(priority['typed_config']).toMatchObject({ update_frequency: 1 });
    }
    const never = renderIstio(mesh(service({ settings: { 'retry.maxPerRequest': 0 } })), region);
    expect(Object.keys(specs(never, 'EnvoyFilter'))).toEqual(['cart-inbound']);
  });

  it('limits others at their instances: the rate of two proxies over three', () => {
    const [rate, repeats] = patches({}, 'cart-inbound');
    expect(rate?.['match']).toMatchObject({ context: 'SIDECAR_INBOUND' });
    expect(bucket(rate, 'typed_config', 'token_bucket')).toEqual({
      max_tokens: 100,
      tokens_per_fill: 80,
      fill_interval: '1s',
    });
    const [descriptor] = bucket(repeats, 'typed_config', 'descriptors') as Json[];
    expect(descriptor?.['token_bucket']).toEqual({ max_tokens: 3, tokens_per_fill: 3, fill_interval: '1.2s' });
  });

  it('names metrics only when asked', () => {
    expect(Object.keys(specOf('Telemetry', 'psmg', {}))).toEqual(['accessLogging']);
    expect(specOf('Telemetry', 'psmg', {}, { metricsProvider: 'prometheus' })['metrics']).toEqual([
      { providers: [{ name: 'prometheus' }] },
    ]);
  });
});

describe('Gateway API', () => {
  it('says paths, names and time-outs of the edge, and what it cannot', () => {
    const live = mesh(
      service({ entryPathPrefix: '/shop/' }),
      service({ service: 'live', entryPathPrefix: '/', protocol: 'websocket' }),
    );
    const { files, cannot } = renderGatewayApi(live, region);
    expect(checkIstio(files)).toEqual([]);
    const rules = specs(files, 'HTTPRoute')['psmg-edge']?.['rules'] as Json[];
    expect(rules.map((rule) => [rule['matches'], rule['timeouts']])).toEqual([
      [[{ path: { type: 'PathPrefix', value: '/shop' } }], { request: '1542ms' }],
      [[{ path: { type: 'PathPrefix', value: '/' } }], undefined],
    ]);
    expect(cannot.join(' ')).toMatch(/retries.*weights.*breakers.*rate limits/);
  });
});

describe('renderIstio', () => {
  it('keeps names that YAML 1.1 takes for no texts', () => {
    const files = renderIstio(mesh(service({ service: 'no' }), service({ service: 'on' })), region);
    expect([...checkIstio(files), ...lintIstio(files)]).toEqual([]);
    expect(files['service-entries.yaml']).toContain('app: "no"');
  });

  it('tells why, and lets no reason become configuration', () => {
    const reasons = { 'timeout.requestMs': 'four times the SLO\n      attempts: 99' };
    const text = renderIstio(mesh(service({ reasons })), region)['virtual-services.yaml'];
    expect(text).toContain('timeout: 1.542s # four times the SLO attempts: 99\n');
  });
});
