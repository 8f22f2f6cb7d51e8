import { describe, expect, it } from '@jest/globals';
import type { MetricRow, MetricsStore } from '../adapters/metrics/port.js';
import type { ProxyTarget } from '../adapters/mesh/port.js';
import type { ProbeRequest } from '../adapters/probes/port.js';
import { neighbourSpec, shopRegion } from '../test/fixtures/regionSpec.js';
import { createProber } from './prober.js';

const region = shopRegion({ neighbours: [neighbourSpec({ name: 'north' })] });

interface World {
  nowMs: number;
  rounds: number;
  closed: number;
  rows: MetricRow[];
  lines: string[];
  /** What a round waits for. */
  gate: Promise<void>;
}

function world(fails = false): { state: World; prober: ReturnType<typeof createProber> } {
  const state: World = { nowMs: 1000, rounds: 0, closed: 0, rows: [], lines: [], gate: Promise.resolve() };
  // A fake for the clock and for faults: the script itself is tested on real proxies.
  const target = {
    host: 'edge-1',
    probe: async (request: ProbeRequest): Promise<unknown> => {
      state.rounds++;
      await state.gate;
      if (fails) throw new Error('no route to host');
      return { destinations: request.destinations.map(({ name }) => ({ name, tries: [] })) };
    },
    close: async (): Promise<void> => {
      state.closed++;
      return Promise.resolve();
    },
  };
  const metrics = { write: async (rows: readonly MetricRow[]) => Promise.resolve(void state.rows.push(...rows)) };
  const prober = createProber({
    openTarget: () => target as unknown as ProxyTarget,
    metrics: metrics as unknown as MetricsStore,
    now: () => state.nowMs,
    log: (line) => state.lines.push(line),
  });
  return { state, prober };
}

const settled = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('the prober', () => {
  it('measures at most once a minute, and never twice at once', async () => {
    const { state, prober } = world();
    let open = (): void => undefined;
    state.gate = new Promise((resolve) => (open = resolve));
    prober.offer(region);
    state.nowMs += 120_000;
    prober.offer(region);
    await settled();
    expect(state.rounds).toBe(region.delivery.hosts.length);
    open();
    await settled();
    prober.offer(region);
    await settled();
    expect(state.rounds).toBe(2 * region.delivery.hosts.length);
    state.nowMs += 59_000;
    prober.offer(region);
    await settled();
    expect(state.rounds).toBe(2 * region.delivery.hosts.length);
    expect(state.closed).toBe(state.rounds);
    await prober.stop();
  });

  it('does nothing where there is no neighbour, and nothing after it was stopped', async () => {
    const { state, prober } = world();
    prober.offer(shopRegion({ neighbours: [] }));
    await prober.stop();
    prober.offer(region);
    await settled();
    expect(state.rounds).toBe(0);
  });

  it('says what it could not learn once, and breaks nothing', async () => {
    const { state, prober } = world(true);
    for (let i = 0; i < 3; i++) {
      prober.offer(region);
      await settled();
      state.nowMs += 60_000;
    }
    expect(state.lines).toHaveLength(1);
    expect(state.lines[0]).toContain('no route to host');
    await prober.stop();
  });
});
