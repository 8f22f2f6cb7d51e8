import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startNeighbour } from './neighbour.js';
import type { Neighbour } from './neighbour.js';
import { freePort, freePortRange } from './ports.js';

const DELAY_MS = 60;
let folder: string;
let neighbour: Neighbour;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-neighbour-'));
  const socket = async (): Promise<{ address: string; port: number }> => ({
    address: '127.0.0.1',
    port: await freePort(),
  });
  const service = async (name: string, callees: { service: string; callsPerRequest: number }[] = []) => {
    const first = await freePortRange(2);
    return {
      name,
      endpoints: [0, 1].map((i) => ({ address: '127.0.0.1', port: first + i })),
      healthPath: '/healthz',
      concurrency: 4,
      serviceTimeMs: 3,
      distribution: 'lognormal' as const,
      startupSeconds: 30,
      maxQueue: 50,
      callees,
      timeoutMs: 5000,
    };
  };
  neighbour = await startNeighbour({
    folder,
    region: 'there',
    zone: 'there-1',
    seed: 1,
    ingress: await socket(),
    mesh: await socket(),
    gateway: await socket(),
    admin: await socket(),
    control: await socket(),
    networkLatencyMs: DELAY_MS,
    services: [
      {
        ...(await service('checkout', [
          { service: 'pay', callsPerRequest: 1 },
          { service: 'catalog', callsPerRequest: 0.5 },
        ])),
        pathPrefix: '/checkout',
      },
      await service('pay', [{ service: 'catalog', callsPerRequest: 1 }]),
      await service('catalog'),
    ],
  });
}, 40_000);

afterAll(async () => {
  await neighbour?.stop();
  rmSync(folder, { recursive: true });
});

async function get(socket: { port: number }, url: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: socket.port, path: url, headers: { host }, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      })
      .on('error', reject);
  });
}

describe('the neighbour', () => {
  it('serves users by path, through real Envoy and the whole call graph', async () => {
    const before = await neighbour.status();
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => get(neighbour.ingress, i % 2 ? '/checkout' : '/checkout/cart', 'any')),
    );
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ service: 'checkout', region: 'there' });
    const after = await neighbour.status();
    const served = (name: string): number => (after.services[name]?.served ?? 0) - (before.services[name]?.served ?? 0);
    expect(served('checkout')).toBe(40);
    expect(served('pay')).toBe(40);
    expect(served('catalog')).toBeGreaterThan(40);
    expect(served('catalog')).toBeLessThan(80);
  });

  it('takes requests of other regions by service name, after the network delay', async () => {
    const began = Date.now();
    const answer = await get(neighbour.gateway, '/', 'pay');
    expect(Date.now() - began).toBeGreaterThanOrEqual(DELAY_MS);
    expect(JSON.parse(answer.body)).toMatchObject({ service: 'pay', region: 'there' });
  });

  it('has no way in for anything else', async () => {
    expect((await get(neighbour.gateway, '/', 'unknown')).status).toBe(404);
    expect((await get(neighbour.ingress, '/checkoutx', 'any')).status).toBe(404);
    expect((await get(neighbour.ingress, '/', 'pay')).status).toBe(404);
  });
});
