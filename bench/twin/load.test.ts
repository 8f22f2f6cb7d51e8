import http from 'node:http';

import { describe, expect, it } from '@jest/globals';

import { portOf } from '../../testbed/ports.js';
import { seededRandom } from '../../testbed/random.js';
import { arrivalTimes, sendLoad } from './load.js';

describe('arrivals', () => {
  const points = [
    { atMs: 0, rps: 100 },
    { atMs: 100_000, rps: 0 },
    { atMs: 150_000, rps: 300 },
  ];
  const times = arrivalTimes(points, 250_000, seededRandom(1));

  it('come in order, as many as the rates say', () => {
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const between = (from: number, to: number): number => times.filter((at) => at >= from && at < to).length;
    // Five standard deviations of a Poisson count.
    expect(Math.abs(between(0, 100_000) - 10_000)).toBeLessThan(500);
    expect(between(100_000, 150_000)).toBe(0);
    expect(Math.abs(between(150_000, 250_000) - 30_000)).toBeLessThan(870);
  });

  it('are as uneven as a Poisson process', () => {
    const counts = Array.from({ length: 100 }, (_, i) => times.filter((at) => Math.floor(at / 1000) === i).length);
    const mean = counts.reduce((sum, one) => sum + one, 0) / counts.length;
    const variance = counts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (counts.length - 1);
    expect(variance / mean).toBeGreaterThan(0.5);
    expect(variance / mean).toBeLessThan(1.6);
  });
});

describe('a load', () => {
  it('is sent whatever becomes of it, and its latencies run from the intended times', async () => {
    const stalled: http.ServerResponse[] = [];
    let most = 0;
    const server = http.createServer((_, response) => {
      stalled.push(response);
      most = Math.max(most, stalled.length);
      // Nobody is answered before 40 have come: a sender that waits for answers would never get there.
      if (most < 40) return;
      for (const one of stalled.splice(0)) one.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const targets = [{ address: '127.0.0.1', port: portOf(server) }];
    const sent = await sendLoad({ targets, points: [{ atMs: 0, rps: 200 }], durationMs: 1000, seed: 3 });
    server.close();
    server.closeAllConnections();
    expect(most).toBeGreaterThanOrEqual(40);
    const answered = sent[39]?.intendedMs ?? NaN;
    for (const { intendedMs, latencyMs, lagMs, status } of sent.slice(0, 40)) {
      expect(status).toBe(200);
      expect(lagMs).toBeGreaterThanOrEqual(0);
      expect(latencyMs).toBeGreaterThanOrEqual(answered - intendedMs);
    }
  });
});
