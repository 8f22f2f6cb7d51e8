import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeServer, listen, requestJson } from './http.js';
import { startLoad } from './load.js';
import type { Load, LoadConfig, LoadReport } from './load.js';
import { freePort, portOf } from './ports.js';

type Handler = (response: http.ServerResponse) => void;

let folder: string;
let load: Load | undefined;
const servers: http.Server[] = [];
const rawServers: net.Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-load-'));
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await Promise.all(servers.splice(0).map(closeServer));
  rawServers.splice(0).forEach((server) => server.close());
  rmSync(folder, { recursive: true });
});

/** An ingress that counts arrivals by path. */
async function ingress(handler: Handler): Promise<{ port: number; arrivals: string[] }> {
  const arrivals: string[] = [];
  const server = http.createServer((request, response) => {
    arrivals.push(request.url ?? '');
    handler(response);
  });
  servers.push(server);
  await listen(server, { address: '127.0.0.1', port: 0 });
  return { port: portOf(server), arrivals };
}

async function start(ports: { here: number; there: number }, change: Partial<LoadConfig> = {}): Promise<Load> {
  const demandFile = path.join(folder, 'demand.csv');
  const hours = [0, 1].map((h) => `2012-01-01T0${h}:00:00Z,shop,80\n2012-01-01T0${h}:00:00Z,pay,20\n`);
  writeFileSync(demandFile, `timestamp,service,rps\n${hours.join('')}`);
  const socket = (port: number): { address: string; port: number } => ({ address: '127.0.0.1', port });
  load = await startLoad({
    control: socket(await freePort()),
    seed: 1,
    demandFile,
    clock: { demandFrom: '2012-01-01T00:00:00Z', wallFrom: new Date().toISOString(), speed: 60 },
    rateScale: 1,
    entries: [
      { service: 'shop', pathPrefix: '/shop' },
      { service: 'pay', pathPrefix: '/pay' },
    ],
    region: 'here',
    regionIngress: socket(ports.here),
    neighbour: 'there',
    neighbourIngress: socket(ports.there),
    maxInFlight: 200,
    timeoutMs: 2000,
    ...change,
  });
  return load;
}

const fine: Handler = (response) => response.end('{}');
const status =
  (code: number): Handler =>
  (response) =>
    response.writeHead(code).end('why');

describe('the load generator', () => {
  it('sends the recorded demand to the entry of each service, and counts what it sent', async () => {
    const there = await ingress(fine);
    const users = await start({ here: 1, there: there.port });
    await sleep(2000);
    await users.stop();
    const { totals, byService, seconds, inFlight } = users.report();
    // Poisson, 80 and 20 a second for two seconds: five standard deviations either way.
    expect(Math.abs((byService['shop']?.sent ?? 0) - 160)).toBeLessThan(65);
    expect(Math.abs((byService['pay']?.sent ?? 0) - 40)).toBeLessThan(32);
    expect(there.arrivals.filter((p) => p === '/shop')).toHaveLength(byService['shop']?.sent ?? -1);
    expect(totals).toMatchObject({ ok2xx: totals.sent, server5xx: 0, connectionErrors: 0, dropped: 0 });
    expect(seconds.reduce((sum, s) => sum + s.sent, 0)).toBe(totals.sent);
    expect(totals.p50Ms).toBeGreaterThan(0);
    expect(inFlight).toBe(0);
  });

  it('does not slow its users down when the service is slow', async () => {
    const there = await ingress((response) => setTimeout(() => response.end(), 300));
    const users = await start({ here: 1, there: there.port });
    await sleep(1000);
    expect(users.report().totals.sent).toBeGreaterThan(60);
    await users.stop();
    expect(users.report().totals.p50Ms).toBeGreaterThanOrEqual(295);
  });

  it('moves users to the region and back by the hook, and records both', async () => {
    const [here, there] = [await ingress(fine), await ingress(fine)];
    const users = await start({ here: here.port, there: there.port });
    await sleep(400);
    expect(here.arrivals).toHaveLength(0);
    const post = async (phase: string, region = 'here'): Promise<unknown> =>
      requestJson(`${users.url}/entry`, { region, phase });
    expect(await post('activate')).toEqual({ entry: 'here', changed: true });
    expect(await post('activate')).toEqual({ entry: 'here', changed: false });
    const before = there.arrivals.length;
    await sleep(400);
    expect(here.arrivals.length).toBeGreaterThan(10);
    expect(there.arrivals.length - before).toBeLessThanOrEqual(1);
    expect(await post('drain')).toEqual({ entry: 'there', changed: true });
    const report = await requestJson<LoadReport>(`${users.url}/stats`);
    expect(report.switches.map((s) => s.entry)).toEqual(['here', 'there']);
    await expect(post('activate', 'elsewhere')).rejects.toThrow(/400.*users of here/);
    await expect(post('dance')).rejects.toThrow(/400.*activate or drain/);
  });

  it('tells apart every way in which a request ends, and keeps each failure with time and phase', async () => {
    const codes = [200, 404, 429, 503];
    let next = 0;
    const there = await ingress((response) => {
      status(codes[next % codes.length] ?? 200)(response);
      next += 1;
    });
    const users = await start({ here: await freePort(), there: there.port });
    users.setPhase('deploy');
    await sleep(800);
    users.switchEntry({ region: 'here', phase: 'activate' });
    await sleep(300);
    await users.stop();
    const { totals, failures } = users.report();
    const { ok2xx, client4xx, limited429, server5xx, connectionErrors, sent } = totals;
    expect(Math.min(ok2xx, client4xx, limited429, server5xx, connectionErrors)).toBeGreaterThan(3);
    expect(ok2xx + client4xx + limited429 + server5xx + connectionErrors).toBe(sent);
    expect(failures).toHaveLength(server5xx + connectionErrors);
    const refused = failures.find((f) => f.status === 503);
    expect(refused).toMatchObject({ phase: 'deploy', entry: 'there', message: 'why' });
    expect(failures.find((f) => f.status === 0)).toMatchObject({ phase: 'activate', entry: 'here' });
  });

  it('shows what it did not send because too much was in flight', async () => {
    const there = await ingress(() => undefined);
    const users = await start({ here: 1, there: there.port }, { maxInFlight: 5, timeoutMs: 500 });
    await sleep(450);
    await users.stop();
    const { totals } = users.report();
    expect(totals.sent).toBe(5);
    expect(totals.dropped).toBeGreaterThan(10);
    expect(totals.connectionErrors).toBe(5);
  });

  it('sends again what was lost with an idle connection that the server had closed', async () => {
    const server = net.createServer((socket) => {
      let requests = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        requests += 1;
        // Closed without a word while the client thinks that it is free to use.
        if (requests > 3) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
    });
    rawServers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const users = await start({ here: 1, there: portOf(server) });
    await sleep(700);
    await users.stop();
    const { totals } = users.report();
    expect(totals.resent).toBeGreaterThan(0);
    expect(totals.ok2xx).toBe(totals.sent);
  });
});
