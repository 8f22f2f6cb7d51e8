import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { HostSpec, NeighbourSpec, RegionSpec } from '../../core/spec/region.js';
import { PYTHON } from '../../delivery/fixtures/hosts.js';
import { TARGET_SCRIPTS } from '../../delivery/target/script.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { hostSpec, neighbourSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { createAuthority } from '../../testbed/certificates.js';
import { staticBootstrap } from '../../testbed/envoyConfig.js';
import { waitFor } from '../../testbed/http.js';
import { freePort } from '../../testbed/ports.js';
import { startProcess } from '../../testbed/processes.js';
import type { RunningProcess } from '../../testbed/processes.js';
import { ScriptTarget } from '../mesh/scriptTarget.js';
import type { Executed } from '../mesh/scriptTarget.js';
import { networkRows, probeNetwork, probeRequest, roundsOfRows } from './networkProbe.js';
import type { ProbeTarget } from './port.js';

const folder = mkdtempSync(path.join(tmpdir(), 'psmg probes-'));
const now = (): number => 9000;
const quick = { now, tries: 8, spacingMs: 1, timeoutMs: 250 };
const open: { close(): unknown }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A host of ours with the script as a deployment lays it out. */
function target(name: string, scripts = TARGET_SCRIPTS): ProbeTarget {
  const host: HostSpec = { ...hostSpec({ name }), directory: path.join(folder, name), python: PYTHON };
  mkdirSync(path.join(host.directory, 'bin'), { recursive: true });
  for (const [file, text] of Object.entries(scripts)) writeFileSync(path.join(host.directory, 'bin', file), text);
  const script = new ScriptTarget(host, execute);
  return { host: name, probe: (request, signal) => script.ask('probe', request, signal) };
}

function execute(argv: readonly string[], stdin: string, signal?: AbortSignal): Promise<Executed> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), signal === undefined ? {} : { signal });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
    child.stdin.end(stdin);
  });
}

async function listening(server: net.Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}

function region(ports: Readonly<Record<string, number>>, change: Partial<RegionSpec> = {}): RegionSpec {
  const neighbours = Object.entries(ports).map(([name, port]): NeighbourSpec =>
    neighbourSpec({ name, gateway: { address: '127.0.0.1', port } }),
  );
  return shopRegion({ neighbours, ...change });
}

describe('through a real Envoy', () => {
  const DELAY_MS = 40;
  const SERVICE_MS = 30;
  let envoy: RunningProcess;
  let gateway: number;
  const asked = new Set<string>();
  const instance = http.createServer((request, response) => {
    asked.add(`${request.headers.host} ${request.url}`);
    setTimeout(() => response.end('ok'), SERVICE_MS);
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
    const { port } = instance.address() as net.AddressInfo;
    gateway = await freePort();
    const socket = async (): Promise<{ address: string; port: number }> => ({
      address: '127.0.0.1',
      port: await freePort(),
    });
    const admin = await socket();
    const service = { name: 'front', healthPath: '/healthz', endpoints: [{ address: '127.0.0.1', port }] };
    const bootstrap = staticBootstrap({
      ...{ region: 'south', zone: 'south-a', admin, ingress: await socket(), mesh: await socket() },
      gateway: { address: '127.0.0.1', port: gateway, delayMs: DELAY_MS },
      services: [{ ...service, timeoutMs: 5000 }],
    });
    const file = path.join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(bootstrap));
    const args = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warn'];
    envoy = startProcess(folder, { name: 'south-envoy', command: locatePart('envoy'), args });
    await waitFor('the gateway', 20_000, async () => {
      const clusters = await (await fetch(`http://127.0.0.1:${admin.port}/clusters`)).text();
      return clusters.includes('health_flags::healthy');
    });
  }, 30_000);
  afterAll(async () => {
    await envoy?.stop();
    instance.closeAllConnections();
    instance.close();
  });

  it('measures the way, without what the service behind the gateway takes, from all hosts together', async () => {
    const spec = region({ south: gateway });
    const targets = [target('edge-1'), target('edge-2')];
    const { latencies, problems } = await probeNetwork(targets, spec, { ...quick, timeoutMs: 3000 });
    expect(problems).toEqual([]);
    const [found] = latencies;
    expect(found).toMatchObject({ neighbour: 'south', at: 9000, tries: 16, answers: 16, lost: 0, failed: 0 });
    // The gateway's delay bounds it from below; with the service's time it would be 70 ms and more.
    expect(found?.rttP50Ms).toBeGreaterThanOrEqual(DELAY_MS - 1);
    expect(found?.handshakeP50Ms).toBeLessThan(DELAY_MS);
    expect(asked).toContain('front /healthz');
    const [row] = networkRows('north', latencies);
    expect(row).toMatchObject({ measurement: 'network', tags: { from_region: 'north', to_region: 'south' }, at: 9000 });
    expect(row?.fields).toMatchObject({ tries: 16, answers: 16, lost: 0, loss_share: 0, rtt_p50_ms: found?.rttP50Ms });
    expect(roundsOfRows([row!])).toEqual([{ neighbour: 'south', at: 9000, rttP50Ms: found?.rttP50Ms }]);
  });

  it('tells a service that the gateway does not know, and measures all the same', async () => {
    const spec = region({ south: gateway });
    const services = spec.services.filter(({ name }) => name !== 'front');
    const { latencies, problems } = await probeNetwork([target('edge-1')], { ...spec, services }, quick);
    expect(latencies[0]).toMatchObject({ answers: 8, lost: 0 });
    expect(problems).toEqual(['south: its gateway answers 8 of 8 probes with 404']);
  });
});

describe('with losses', () => {
  it('counts an answer that never comes as lost and not as latency', async () => {
    let connections = 0;
    const port = await listening(
      net.createServer((socket) => {
        connections += 1;
        socket.on('error', () => undefined);
        if (connections % 4 === 0) return;
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      }),
    );
    const { latencies, problems } = await probeNetwork([target('edge-1')], region({ south: port }), quick);
    expect(problems).toEqual([]);
    expect(latencies[0]).toMatchObject({ tries: 8, answers: 6, lost: 2, failed: 0, lossShare: 0.25 });
    expect(latencies[0]?.rttP50HighMs).toBeLessThan(250);
  });

  it('does not know the latency where too much is lost, refused or no HTTP; one neighbour does not stop another', async () => {
    const silent = await listening(net.createServer((socket) => socket.on('error', () => undefined)));
    const closing = await listening(net.createServer((socket) => socket.end()));
    const babbling = await listening(
      net.createServer((socket) => socket.on('error', () => undefined).end('220 mail ready\r\n\r\n')),
    );
    const sound = await listening(http.createServer((_, response) => response.end('ok')));
    const spec = region({ silent, nobody: await freePort(), closing, babbling, sound });
    const { latencies, problems } = await probeNetwork([target('edge-1')], spec, { ...quick, timeoutMs: 60 });
    expect(latencies.map(({ neighbour, rttP50Ms, lost, failed }) => [neighbour, rttP50Ms, lost, failed])).toEqual([
      ['silent', null, 8, 0],
      ['nobody', null, 0, 8],
      ['closing', null, 0, 8],
      ['babbling', null, 0, 8],
      ['sound', expect.any(Number), 0, 0],
    ]);
    expect(latencies[0]).toMatchObject({ lossShare: 1, lossShareHigh: 1 });
    expect(latencies[1]?.lossShare).toBeNull();
    expect(problems).toEqual([
      'silent: network latency is not known: 0 answers, 8 lost, of at least 6 answers needed',
      expect.stringMatching(/^nobody: 8 of 8 probes failed: refused: /),
      expect.stringMatching(/^nobody: network latency is not known/),
      expect.stringMatching(/^closing: 8 of 8 probes failed: closed: /),
      expect.stringMatching(/^closing: network latency is not known/),
      expect.stringMatching(/^babbling: 8 of 8 probes failed: no-http: /),
      expect.stringMatching(/^babbling: network latency is not known/),
    ]);
    expect(networkRows('north', latencies)[1]?.fields).toEqual({ tries: 8, answers: 0, lost: 0, failed: 8 });
    expect(roundsOfRows(networkRows('north', latencies)).map(({ neighbour }) => neighbour)).toEqual(['sound']);
  });
});

it('shows its certificate where the mesh has TLS, and trusts no other authority', async () => {
  const authority = await createAuthority(path.join(folder, 'mesh-ca'));
  const files = { ...(await authority.issue('edge')), caFile: authority.caFile };
  const stranger = await createAuthority(path.join(folder, 'other-ca'));
  const names: string[] = [];
  const server = https.createServer(
    {
      key: readFileSync(files.privateKeyFile),
      cert: readFileSync(files.certificateFile),
      ca: readFileSync(files.caFile),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (_, response) => response.end('ok'),
  );
  server.on('secureConnection', (socket) => names.push(String(socket.servername)));
  const port = await listening(server);
  const one = target('edge-1');
  const spec = region({ south: port }, { tls: { mesh: files } });
  const { latencies, problems } = await probeNetwork([one], spec, { ...quick, timeoutMs: 3000 });
  expect({ problems, answers: latencies[0]?.answers }).toEqual({ problems: [], answers: 8 });
  expect(new Set(names)).toEqual(new Set(['front']));
  const distrusting = region({ south: port }, { tls: { mesh: { ...files, caFile: stranger.caFile } } });
  const distrusted = await probeNetwork([one], distrusting, quick);
  expect(distrusted.problems[0]).toMatch(/south: 8 of 8 probes failed: tls: .*certificate/i);
  const missing = region({ south: port }, { tls: { mesh: { ...files, certificateFile: '/nowhere.crt' } } });
  expect((await probeNetwork([one], missing, quick)).problems[0]).toMatch(/failed: tls: .*No such file/);
}, 20_000);

describe('what is asked', () => {
  it('is the health of a service that the neighbour takes, over HTTP where any speaks it', () => {
    const spec = region({ south: 1 });
    const [front, cart, stock] = spec.services.map((service) => ({ ...service }));
    const probing = (services: RegionSpec['services'], spareRps = {}): unknown => {
      const neighbours = spec.neighbours.map((neighbour) => ({ ...neighbour, spareRps }));
      const [{ service, path: asked } = { service: '' }] = probeRequest(
        { ...spec, services, neighbours },
        2,
      ).destinations;
      return [service, asked];
    };
    expect(probing([front!, cart!, stock!], { stock: 5 })).toEqual(['stock', '/healthz']);
    expect(probing([{ ...front!, protocol: 'tcp' }, { ...cart!, protocol: 'grpc' }, stock!])).toEqual([
      'stock',
      '/healthz',
    ]);
    expect(probing([{ ...front!, protocol: 'tcp' }])).toEqual(['front', undefined]);
  });

  it('waits for the furthest neighbour, and shares the tries among the hosts', () => {
    const far = region({ south: 1 }, { neighbours: [neighbourSpec({ networkLatencyMs: 150 })] });
    expect(probeRequest(far, 1)).toMatchObject({ tries: 20, timeoutMs: 1700 });
    expect(probeRequest(far, 2).tries).toBe(10);
    expect(probeRequest(region({ south: 1 }), 100)).toMatchObject({ tries: 5, timeoutMs: 900 });
  });

  it('is nothing without neighbours', async () => {
    expect(await probeNetwork([], region({}), quick)).toEqual({ latencies: [], problems: [] });
  });
});

it('tells a host that cannot measure, and goes on with the others; stops when it is aborted', async () => {
  const port = await listening(http.createServer((_, response) => response.end('ok')));
  const older = { ...TARGET_SCRIPTS };
  older['psmg_target.py'] = (older['psmg_target.py'] ?? '').replace(', "probe"]', ']');
  const nonsense: ProbeTarget = { host: 'edge-3', probe: () => Promise.resolve({ destinations: { south: [{}] } }) };
  const targets = [target('edge-1', older), target('edge-2'), nonsense];
  const { latencies, problems } = await probeNetwork(targets, region({ south: port }), quick);
  expect(latencies[0]).toMatchObject({ tries: 8, answers: 8 });
  expect(problems).toEqual([
    'edge-1: the script on the host is older and cannot probe: it comes with the next deployment',
    'edge-3: the answer to a probe has a try of south that is none',
  ]);
  const control = new AbortController();
  const slow = probeNetwork([target('edge-2')], region({ south: port }), {
    ...{ ...quick, spacingMs: 1000 },
    signal: control.signal,
  });
  await sleep(50);
  control.abort(new Error('stop'));
  await expect(slow).rejects.toThrow('stop');
});

it('refuses a request without bounds', async () => {
  const one = target('edge-1');
  const request = probeRequest(region({ south: 1 }), 1);
  await expect(one.probe({ ...request, tries: 1e6 })).rejects.toThrow(/tries is 1000000/);
  await expect(one.probe({ ...request, destinations: [] })).rejects.toThrow(/between 1 and 100 destinations/);
});
