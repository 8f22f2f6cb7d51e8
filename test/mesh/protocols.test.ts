import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { validateWithEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { Protocol, RegionSpec } from '../../core/spec/region.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { closeConnections, freePorts, get } from '../fixtures/envoyProcess.js';
import { bring, dumpOf, envoyHost, healthyIn, liveOf, socket, startHost } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

const SERVICES: readonly { name: string; protocol: Protocol; pathPrefix?: string; healthPath: string }[] = [
  { name: 'pages', protocol: 'http2', pathPrefix: '/pages', healthPath: '/healthz' },
  { name: 'prices', protocol: 'grpc', pathPrefix: '/prices.Prices', healthPath: '/grpc.health.v1.Health/Check' },
  { name: 'chat', protocol: 'websocket', pathPrefix: '/chat', healthPath: '/healthz' },
  { name: 'store', protocol: 'tcp', healthPath: '/' },
];

/** One service for each protocol, each behind its own door. */
describe('protocols', () => {
  let edge: EnvoyHost;
  let region: RegionSpec;
  let apps: { port: number; stop(): Promise<void> }[];
  const grpc = { calls: 0, answers: [] as string[] };

  const live = (): LiveMesh => {
    const settings = { 'timeout.requestMs': 300, 'inbound.retryRps': 100, 'retry.minConcurrency': 10 };
    return liveOf(region, {
      prices: { settings },
      chat: { settings },
      store: { settings: { 'inbound.maxRequests': 2 } },
    });
  };
  const door = (name: string): number => region.services.find((one) => one.name === name)?.endpoints[0]?.port ?? 0;

  beforeAll(async () => {
    apps = await Promise.all([startHttp2(), startGrpc(grpc), startEcho(), startBytes()]);
    const ports = await freePorts(3 + apps.length);
    const doors = ports.slice(3);
    const inbound = SERVICES.map(({ name }, i) => ({
      service: name,
      socket: socket(doors[i] ?? 0),
      app: socket(apps[i]?.port ?? 0),
    }));
    edge = await envoyHost('edge-1', ports, inbound);
    region = shopRegion({
      delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] },
      services: SERVICES.map(({ name, protocol, pathPrefix, healthPath }, i) =>
        serviceSpec({
          name,
          protocol,
          healthPath,
          idempotent: true,
          ...(pathPrefix === undefined ? {} : { entry: { pathPrefix } }),
          endpoints: [socket(doors[i] ?? 0)],
        }),
      ),
      graph: {},
      neighbours: [],
    });
    await startHost(edge, live(), region);
    for (const { name } of SERVICES) await healthyIn(edge, name, 1);
  }, 30_000);

  afterAll(async () => {
    closeConnections();
    await edge.envoy.stop();
    await Promise.all(apps.map((app) => app.stop()));
  });

  it('are read back, and validated by the real Envoy', async () => {
    await bring(edge, live(), region);
    expect(compareReadBack(live(), edge.host, await dumpOf(edge.host))).toEqual([]);
    expect(await validateWithEnvoy(locatePart('envoy'), flatten(render(live(), region, edge.host)))).toEqual([]);
  });

  it('http2: is spoken up to the instance, whatever the user speaks', async () => {
    const { body } = await get(edge.host.proxy.ingress.port, '/pages/1');
    expect(body).toBe('2.0 pages');
  });

  it('grpc: passes with its trailers; what is unavailable is asked for once more, what the request is to blame for not', async () => {
    const ask = async (...answers: string[]) => {
      Object.assign(grpc, { calls: 0, answers });
      const answer = await callGrpc(edge.host.proxy.ingress.port, '/prices.Prices/Get');
      return [answer['grpc-status'], grpc.calls];
    };
    expect(await ask('0')).toEqual(['0', 1]);
    expect(await ask('14', '0')).toEqual(['0', 2]);
    expect(await ask('14', '14', '0')).toEqual(['14', 2]);
    expect(await ask('3', '0')).toEqual(['3', 1]);
  });

  it("grpc: ends at the caller's own deadline where it is the shorter one", async () => {
    Object.assign(grpc, { calls: 0, answers: ['never'] });
    const answer = await callGrpc(edge.host.proxy.ingress.port, '/prices.Prices/Get', { 'grpc-timeout': '50m' });
    expect(answer['grpc-status']).toBe('4');
  });

  it('websocket: stays open beyond the time that a request may take', async () => {
    const opened = await openWebSocket(edge.host.proxy.ingress.port, '/chat/1');
    expect(await opened.say('early')).toBe('early');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await opened.say('late')).toBe('late');
    opened.close();
    const plain = await get(edge.host.proxy.ingress.port, '/chat/1');
    expect(plain.status).toBe(200);
  });

  it('websocket: is not opened to services that speak no such thing', async () => {
    await expect(openWebSocket(edge.host.proxy.ingress.port, '/pages/1')).rejects.toThrow(/403/);
  });

  it('tcp: passes bytes, so many connections at a time', async () => {
    const connections = await Promise.all([1, 2].map(() => connect(door('store'))));
    for (const one of connections) expect(await one.say('bytes')).toBe('bytes');
    const third = await connect(door('store'));
    await expect(third.say('bytes')).rejects.toThrow(/closed/);
    for (const one of connections) one.close();
  });
});

interface Conversation {
  say(text: string): Promise<string>;
  close(): void;
}

function converse(stream: net.Socket): Conversation {
  const ended = new Promise<never>((_, reject) => {
    stream.on('error', () => reject(new Error('closed')));
    stream.once('close', () => reject(new Error('closed')));
  });
  ended.catch(() => undefined);
  return {
    say(text) {
      const answer = new Promise<string>((resolve) =>
        stream.once('data', (chunk: Buffer) => resolve(chunk.toString())),
      );
      stream.write(text);
      return Promise.race([answer, ended]);
    },
    close: () => void stream.destroy(),
  };
}

async function connect(port: number): Promise<Conversation> {
  const stream = net.connect(port, '127.0.0.1');
  const conversation = converse(stream);
  await new Promise((resolve) => stream.once('connect', resolve));
  return conversation;
}

function openWebSocket(port: number, path: string): Promise<Conversation> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'a2V5',
    'sec-websocket-version': '13',
  };
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers });
    request.once('upgrade', (_, stream) => resolve(converse(stream as net.Socket)));
    request.once('response', (response) => {
      response.resume();
      reject(new Error(`answered with ${response.statusCode}`));
    });
    request.once('error', reject);
  });
}

/** A call without a message; the headers and trailers of its answer. */
function callGrpc(port: number, path: string, more: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  return new Promise<Record<string, unknown>>((resolve, reject) => {
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...more };
    const stream = session.request(headers);
    const seen: Record<string, unknown> = {};
    stream.on('response', (found) => Object.assign(seen, found));
    stream.on('trailers', (found) => Object.assign(seen, found));
    stream.on('error', reject);
    stream.resume().on('end', () => resolve(seen));
    stream.end(Buffer.alloc(5));
  }).finally(() => session.close());
}

async function listen(server: net.Server): Promise<{ port: number; stop(): Promise<void> }> {
  const open = new Set<net.Socket>();
  server.on('connection', (one: net.Socket) => {
    open.add(one);
    one.once('close', () => open.delete(one)).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const one of open) one.destroy();
    await closed;
  };
  return { port: (server.address() as net.AddressInfo).port, stop };
}

function startHttp2(): ReturnType<typeof listen> {
  return listen(http2.createServer((request, response) => void response.end(`${request.httpVersion} pages`)));
}

/** Answers health in gRPC's own way (SERVING), and calls by the statuses it is told, one after the other. */
function startGrpc(grpc: { calls: number; answers: string[] }): ReturnType<typeof listen> {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const type = { ':status': 200, 'content-type': 'application/grpc' };
    if (headers[':path'] === '/grpc.health.v1.Health/Check') {
      stream.respond(type, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      return void stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, 1]));
    }
    const status = grpc.answers[grpc.calls++] ?? '0';
    if (status === 'never') return;
    if (status !== '0') return stream.respond({ ...type, 'grpc-status': status }, { endStream: true });
    stream.respond(type, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
  return listen(server);
}

function startEcho(): ReturnType<typeof listen> {
  const server = http.createServer((_, response) => void response.end());
  server.on('upgrade', (_, stream) => {
    stream.on('error', () => undefined);
    stream.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    stream.pipe(stream);
  });
  return listen(server);
}

function startBytes(): ReturnType<typeof listen> {
  return listen(net.createServer((one) => void one.on('error', () => undefined).pipe(one)));
}
