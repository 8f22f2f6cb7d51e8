import { expect, it } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { createPrometheusMeter } from '../adapters/telemetry/prometheus.js';
import { RegionExporter } from './regionExporter.js';

const REGIONS = Array.from({ length: 250 }, (_, i) => `r${String(i).padStart(3, '0')}`);

/** Visibility that lists every region, and regions that take so long and give no answer; a real one is in test/telemetry. */
function fleet(takesMs: number): { client: Client; asked: string[]; clock: { ms: number } } {
  const [asked, clock] = [[] as string[], { ms: 0 }];
  const execution = (region: string): unknown => ({
    workflowId: `region/${region}`,
    typedSearchAttributes: { get: (): undefined => undefined },
  });
  const workflow = {
    async *list(): AsyncGenerator<unknown> {
      yield* REGIONS.map(execution);
      await Promise.resolve();
    },
    getHandle: (id: string) => ({
      query: async (): Promise<never> => {
        asked.push(id.slice('region/'.length));
        clock.ms += takesMs / 4;
        return Promise.reject(new Error('no worker'));
      },
    }),
  };
  const client = { workflow, withDeadline: async (_: number, ask: () => Promise<unknown>) => ask() };
  return { client: client as unknown as Client, asked, clock };
}

async function lists(takesMs: number, times: number): Promise<readonly (readonly string[])[]> {
  const { client, asked, clock } = fleet(takesMs);
  const meter = createPrometheusMeter({ now: () => clock.ms });
  const rounds: string[][] = [];
  for (let i = 0; i < times; i += 1) {
    clock.ms = i * 15_000;
    // `start` looks once; what it remembers is in the one exporter.
    if (i === 0) await exporterOf(client, meter, clock).start();
    else await current.look();
    rounds.push(asked.splice(0));
  }
  await current.stop();
  return rounds;
}

let current: { look(): Promise<void>; stop(): Promise<void> };
function exporterOf(
  client: Client,
  meter: ReturnType<typeof createPrometheusMeter>,
  clock: { ms: number },
): RegionExporter {
  const exporter = new RegionExporter({ client, meter, log: { write: () => undefined }, now: () => clock.ms });
  const { probe } = exporter as unknown as { probe: { look(): Promise<void> } };
  current = { look: () => probe.look(), stop: () => exporter.stop() };
  return exporter;
}

it('asks a bounded number of regions after each list, and every one in turn', async () => {
  const rounds = await lists(0, 6);
  expect(Math.max(...rounds.map((round) => round.length))).toBeLessThanOrEqual(60);
  expect(new Set(rounds.flat()).size).toBe(REGIONS.length);
});

it('is not kept from the next list by regions that do not answer', async () => {
  const [first = [], second = []] = await lists(5000, 2);
  expect(first.length).toBeLessThanOrEqual(8);
  expect(second.filter((region) => first.includes(region))).toEqual([]);
});
