import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hostUsage } from '../../core/tuning/hostUsage.js';
import { hostSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { startNodeExporter } from '../../testbed/nodeExporter.js';
import type { RunningNodeExporter } from '../../testbed/nodeExporter.js';
import { readHosts } from './nodeExporter.js';

const folder = mkdtempSync(path.join(tmpdir(), 'psmg-node-exporter-'));
let exporter: RunningNodeExporter;

beforeAll(async () => {
  exporter = await startNodeExporter({ directory: folder });
}, 30_000);
afterAll(async () => {
  await exporter?.stop();
  rmSync(folder, { recursive: true });
});

it("reads this machine's CPU and memory from a real node exporter", async () => {
  const hosts = [hostSpec({ name: 'edge-1', nodeExporter: exporter.url })];
  const spec = shopRegion({ delivery: { tool: 'ansible', hostWaitSeconds: 30, hosts } });
  const now = (): number => Date.now();
  const before = await readHosts(spec, { now });
  const busy = new Worker('for (;;);', { eval: true });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const after = await readHosts(spec, { now });
  await busy.terminate();
  expect([...before.problems, ...after.problems]).toEqual([]);
  const { hosts: usages, problems } = hostUsage(['edge-1'], before.readings, after.readings, Date.now());
  expect(problems).toEqual([]);
  const [usage] = usages;
  const { cpus } = after.readings[0]!;
  // One thread that never rests takes one CPU, unless others hold it; half of one is there in any case.
  expect(usage?.cpuShare).toBeGreaterThan(0.5 / cpus);
  expect(usage?.cpuShare).toBeLessThanOrEqual(1);
  expect(usage?.memoryShare).toBeGreaterThan(0);
  expect(usage?.memoryShare).toBeLessThan(1);
  expect(usage?.load1).toBeGreaterThanOrEqual(0);
}, 30_000);
