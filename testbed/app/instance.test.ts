import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeServer, listen, waitFor } from '../http.js';
import { freePort, portOf } from '../ports.js';
import { startInstance } from './instance.js';
import type { Instance, InstanceOptions } from './instance.js';

const running: Instance[] = [];
const servers: http.Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (i) => i.kill()));
  await Promise.all(servers.splice(0).map(closeServer));
});

async function start(change: Partial<InstanceOptions> = {}): Promise<{ instance: Instance; url: string }> {
  const socket = { address: '127.0.0.1', port: await freePort() };
  const instance = startInstance({
    service: 'shop',
    region: 'here',
    instance: 'here/shop-0',
    socket,
    healthPath: '/healthz',
    concurrency: 1,
    serviceTimeMs: 20,
    distribution: 'lognormal',
    seed: 1,
    startupSeconds: 0,
    maxQueue: 100,
    callees: [],
    mesh: { address: '127.0.0.1', port: 1 },
    drainMs: 100,
    ...change,
  });
  running.push(instance);
  if (change.startupSeconds === undefined) await ready(instance);
  return { instance, url: `http://127.0.0.1:${socket.port}/` };
}

async function ready(instance: Instance): Promise<void> {
  await waitFor('ready', 5000, async () => Promise.resolve(instance.state === 'ready'));
}

async function statuses(url: string, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, async () => (await fetch(url)).status));
}

describe('an instance', () => {
  it('says who it is', async () => {
    const { url } = await start();
    expect(await (await fetch(url)).json()).toEqual({ service: 'shop', region: 'here', instance: 'here/shop-0' });
  });

  it('works on no more requests at once than its concurrency, and makes the rest wait', async () => {
    const { instance, url } = await start({ concurrency: 2, serviceTimeMs: 50 });
    const began = Date.now();
    let mostWorking = 0;
    const watch = setInterval(() => (mostWorking = Math.max(mostWorking, instance.counters.working)), 1);
    expect(await statuses(url, 12)).toEqual(Array.from({ length: 12 }, () => 200));
    clearInterval(watch);
    expect(mostWorking).toBe(2);
    // Twelve pieces of work of 50 ms on two slots; well under half of that is beyond the spread of the work.
    expect(Date.now() - began).toBeGreaterThan(150);
    expect(instance.counters).toEqual({ served: 12, failed: 0, refused: 0, working: 0, waiting: 0 });
  });

  it('serves in the order of arrival', async () => {
    const { instance, url } = await start({ serviceTimeMs: 15 });
    const finished: number[] = [];
    const requests: Promise<void>[] = [];
    for (let i = 0; i < 6; i += 1) {
      requests.push(fetch(url).then(() => void finished.push(i)));
      await waitFor('arrival', 1000, async () =>
        Promise.resolve(instance.counters.working + instance.counters.waiting + instance.counters.served > i),
      );
    }
    await Promise.all(requests);
    expect(finished).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('answers 503 when the queue is full', async () => {
    const { instance, url } = await start({ serviceTimeMs: 200, maxQueue: 2 });
    const answers = await statuses(url, 8);
    expect(answers.filter((s) => s === 200)).toHaveLength(3);
    expect(answers.filter((s) => s === 503)).toHaveLength(5);
    expect(instance.counters.refused).toBe(5);
  });

  it('does not listen before its cold start is over', async () => {
    const began = Date.now();
    const { instance, url } = await start({ startupSeconds: 0.4 });
    await expect(fetch(url)).rejects.toThrow();
    expect(instance.state).toBe('starting');
    await ready(instance);
    expect(Date.now() - began).toBeGreaterThanOrEqual(390);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
  });

  it('fails, slows down and turns unhealthy when told', async () => {
    const { instance, url } = await start({ concurrency: 4, serviceTimeMs: 5 });
    instance.setFault({ failRate: 1 });
    expect(await statuses(url, 4)).toEqual([500, 500, 500, 500]);
    instance.setFault({ failRate: 0, slowFactor: 40 });
    const began = Date.now();
    expect(await statuses(url, 1)).toEqual([200]);
    expect(Date.now() - began).toBeGreaterThan(40);
    instance.setFault({ slowFactor: 1, healthy: false });
    expect((await fetch(`${url}healthz`)).status).toBe(503);
    expect(await statuses(url, 1)).toEqual([200]);
  });

  it('drains: unhealthy while it still serves, then gone', async () => {
    const { instance, url } = await start({ drainMs: 300 });
    const drained = instance.drain();
    expect((await fetch(`${url}healthz`)).status).toBe(503);
    expect(await statuses(url, 1)).toEqual([200]);
    await drained;
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('calls to other services', () => {
  async function mesh(status: number): Promise<{ port: number; calls: http.IncomingMessage[] }> {
    const calls: http.IncomingMessage[] = [];
    const server = http.createServer((request, response) => {
      calls.push(request);
      response.writeHead(status).end();
    });
    servers.push(server);
    await listen(server, { address: '127.0.0.1', port: 0 });
    return { port: portOf(server), calls };
  }

  it('go to the mesh by name, as often as configured, with the request id', async () => {
    const { port, calls } = await mesh(200);
    const { url } = await start({
      concurrency: 50,
      serviceTimeMs: 1,
      mesh: { address: '127.0.0.1', port },
      callees: [
        { service: 'catalog', callsPerRequest: 1.5 },
        { service: 'pay', callsPerRequest: 1 },
      ],
    });
    await Promise.all(
      Array.from({ length: 400 }, async (_, i) => fetch(url, { headers: { 'x-request-id': `id-${i}` } })),
    );
    const to = (name: string): number => calls.filter((c) => c.headers.host === name).length;
    expect(to('pay')).toBe(400);
    // Binomial(400, 0.5) on top of 400: six standard deviations either way.
    expect(Math.abs(to('catalog') - 600)).toBeLessThan(60);
    expect(new Set(calls.map((c) => c.headers['x-request-id'])).size).toBe(400);
  });

  it('turn into 502 when they fail or nobody answers', async () => {
    const { port } = await mesh(503);
    const callees = [{ service: 'pay', callsPerRequest: 1 }];
    const failing = await start({ callees, mesh: { address: '127.0.0.1', port } });
    const answer = await fetch(failing.url);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: 'pay answered 503' });
    const nobody = await start({ callees, mesh: { address: '127.0.0.1', port: await freePort() } });
    expect(await (await fetch(nobody.url)).json()).toMatchObject({ error: 'pay did not answer' });
    expect(nobody.instance.counters.failed).toBe(1);
  });
});
