import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { FileSet } from '../../core/spec/artifact.js';
import { startIstioProxy } from '../../testbed/istioProxy.js';
import type { RunningIstioProxy } from '../../testbed/istioProxy.js';
import { freePort } from '../../testbed/ports.js';
import { closeConnections, eventually, startUpstream, tally } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { viewDump } from '../fixtures/envoyDumpView.js';
import type { DumpView } from '../fixtures/envoyDumpView.js';
import { driveByFiles, driveByKubernetes } from '../fixtures/istioDrivers.js';
import type { IstioDriver, StartDriver } from '../fixtures/istioDrivers.js';
import { errorsByIstioctl, refusedByIstioctl } from '../fixtures/istioctl.js';
import { CART_ADDRESS, istioShop, webRules } from '../fixtures/istioShop.js';

const WEB = 'outbound|80||web.default.svc.cluster.local';
const CART = 'outbound|80||cart.default.svc.cluster.local';
const RATE_LIMIT = 'envoy.filters.http.local_ratelimit';

/** What a stock Envoy is given for what somebody wrote by hand: by either way to tell an istiod, the same. */
describe.each<[string, StartDriver]>([
  ['a folder', driveByFiles],
  ['an API server', driveByKubernetes],
])('a real istiod told by %s', (_, start) => {
  let dir: string;
  let driver: IstioDriver | undefined;
  let upstreams: Upstream[] = [];
  let edge: RunningIstioProxy;
  let cart: RunningIstioProxy;
  let edgePort: number;

  const view = async (proxy: RunningIstioProxy): Promise<DumpView> => viewDump(await proxy.configDump());
  const socketOf = (index: number): string => `127.0.0.1:${upstreams[index]?.port ?? 0}`;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'psmg-istio-'));
    driver = await start(path.join(dir, 'driver'));
    upstreams = [await startUpstream('eu'), await startUpstream('us')];
    edgePort = await freePort();
    const [eu = 0, us = 0] = upstreams.map(({ port }) => port);
    await driver.apply(istioShop({ edgePort, webPorts: { eu, us } }));
    const common = { xds: driver.xds, locality: { region: 'eu', zone: 'eu-a' } };
    const own = (app: string): { dir: string; app: string } => ({ dir: path.join(dir, app), app });
    edge = await startIstioProxy({ ...common, ...own('edge'), role: 'router', address: '127.0.0.9' });
    cart = await startIstioProxy({ ...common, ...own('cart'), role: 'sidecar', address: CART_ADDRESS });
    await eventually('the edge has its routes', async () => (await view(edge)).routes.length > 0, 20_000);
  }, 150_000);

  afterAll(async () => {
    closeConnections();
    await Promise.all([edge.stop(), cart.stop(), ...upstreams.map((upstream) => upstream.stop())]);
    await driver?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it('gives limits, breakers and outlier detection as they are written', async () => {
    const { clusters } = await view(edge);
    expect(clusters[WEB]).toMatchObject({
      lb_policy: 'LEAST_REQUEST',
      connect_timeout: '0.330s',
      circuit_breakers: {
        thresholds: [{ max_connections: 120, max_pending_requests: 40, max_requests: 41, max_retries: 3 }],
      },
      outlier_detection: {
        consecutive_5xx: 5,
        interval: '2s',
        base_ejection_time: '11s',
        max_ejection_percent: 40,
      },
    });
    expect(clusters[CART]).toMatchObject({
      // Envoy does not tell what is its default, round robin.
      connect_timeout: '0.250s',
      circuit_breakers: {
        thresholds: [{ max_connections: 12, max_pending_requests: 4, max_requests: 5, max_retries: 2 }],
      },
      outlier_detection: {
        consecutive_5xx: 7,
        interval: '3s',
        base_ejection_time: '21s',
        max_ejection_percent: 60,
      },
    });
    expect(clusters[CART]?.['lb_policy'] ?? 'ROUND_ROBIN').toBe('ROUND_ROBIN');
  });

  it('gives weights by region, time-outs and retries', async () => {
    const { weights, routes } = await view(edge);
    expect(weights[WEB]).toEqual({ [socketOf(0)]: 70, [socketOf(1)]: 30 });
    expect(routes).toMatchObject([
      { route: { cluster: WEB, timeout: '1.542s', retry_policy: { num_retries: 1, per_try_timeout: '0.500s' } } },
    ]);
  });

  it('gives the edge its rate limit and nobody else', async () => {
    expect((await view(edge)).filters[RATE_LIMIT]).toMatchObject({
      typed_config: { token_bucket: { max_tokens: 2500, tokens_per_fill: 250, fill_interval: '0.500s' } },
    });
    expect((await view(cart)).filters[RATE_LIMIT]).toBeUndefined();
  });

  it("tells a sidecar of what its Sidecar names alone, and gives it its instance's own limit", async () => {
    const { clusters, routes } = await view(cart);
    const outbound = Object.keys(clusters).filter((name) => name.startsWith('outbound|'));
    expect(outbound).toEqual([WEB]);
    expect(clusters['inbound|9200||']).toMatchObject({ circuit_breakers: { thresholds: [{ max_requests: 9 }] } });
    expect(routes).toContainEqual(
      expect.objectContaining({ route: expect.objectContaining({ cluster: WEB, timeout: '1.542s' }) }),
    );
  });

  it('sends requests as the weights say', async () => {
    const split = await tally(edgePort, 500, { host: 'web.example' });
    expect(Object.keys(split).sort()).toEqual(['eu', 'us']);
    expect(split['eu']).toBeGreaterThan(320);
    expect(split['eu']).toBeLessThan(380);
  });

  it('keeps what it had when it is given what Istio has no word for, and goes on once that is mended', async () => {
    const limit = async (): Promise<string> => JSON.stringify((await view(edge)).clusters[WEB]?.['circuit_breakers']);
    const before = await limit();
    const rules = webRules({ eu: 70, us: 30, maxRequests: 66 });
    // The API server refuses it at once; a folder cannot.
    await driver?.apply({ 'web.yaml': rules.replace('LEAST_REQUEST', 'LEAST_REQUESTS') }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await limit()).toBe(before);
    await driver?.apply({ 'web.yaml': rules });
    await eventually('the edge has the new limit', async () => (await limit()).includes('"max_requests":66'));
  });

  it('passes on what is changed, and takes back what is removed', async () => {
    await driver?.apply({ 'web.yaml': webRules({ eu: 20, us: 80, maxRequests: 55 }) });
    const both = [edge, cart];
    await eventually('both proxies have the new limit', async () => {
      const views = await Promise.all(both.map(view));
      return views.every(({ clusters }) => JSON.stringify(clusters[WEB]).includes('"max_requests":55'));
    });
    await eventually('both proxies have the new weights', async () => {
      const views = await Promise.all(both.map(view));
      return views.every(({ weights }) => weights[WEB]?.[socketOf(0)] === 20 && weights[WEB][socketOf(1)] === 80);
    });
    await driver?.remove('rate-limit.yaml');
    await eventually('the rate limit is gone', async () => (await view(edge)).filters[RATE_LIMIT] === undefined);
  });
});

describe('istioctl', () => {
  const files = istioShop({ edgePort: 8080, webPorts: { eu: 9100, us: 9101 } });

  /** The files with one of them changed by hand. */
  const broken = (name: string, from: string, to: string): FileSet => {
    const text = files[name] ?? '';
    expect(text).toContain(from);
    return { ...files, [name]: text.replace(from, to) };
  };

  it('validates what is right, and refuses what is not, in words', async () => {
    expect(await refusedByIstioctl(files)).toBe('');
    expect(await refusedByIstioctl(broken('cart.yaml', 'weight: 90', 'weight: -3'))).toContain('weight -3 < 0');
    const unknown = broken('web.yaml', 'LEAST_REQUEST', 'LEAST_REQUESTS');
    expect(await refusedByIstioctl(unknown)).toContain('LEAST_REQUESTS');
  });

  it('analyses them as a whole, and finds a subset that is not there', async () => {
    expect(await errorsByIstioctl(files)).toEqual([]);
    expect(await errorsByIstioctl(broken('cart.yaml', 'subset: v2', 'subset: v9'))).toEqual([
      expect.stringMatching(/^IST0101 .*cart\.default\.svc\.cluster\.local\+v9/),
    ]);
  });
});
