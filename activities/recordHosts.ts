import { attempt, within } from './limited.js';
import { STORE_TIMEOUT_MS } from './observeRegion.js';
import type { ActivityRun, Ports } from './ports.js';
import { hostRows, measuredHosts, readHosts, readingsOfRows } from '../adapters/signals/nodeExporter.js';
import type { MetricRow } from '../adapters/metrics/port.js';
import type { RegionSpec } from '../core/spec/region.js';
import { hostUsage } from '../core/tuning/hostUsage.js';

/** A reading that is older than this is no baseline of the CPU's counters. */
const BASELINE_MS = 900_000;

/**
 * CPU and memory of the hosts that have a node exporter, as rows of measurement `host`. What cannot be read or kept is
 * named, never zero, and costs no tick.
 */
export async function recordHosts(ports: Ports, spec: RegionSpec, run: ActivityRun): Promise<string[]> {
  const names = measuredHosts(spec);
  if (names.length === 0) return [];
  const problems: string[] = [];
  let rows: readonly MetricRow[] = [];
  run.progress('reading hosts');
  const failed = await attempt('CPU and memory of hosts are not recorded', async () => {
    const toMs = ports.now();
    const after = await readHosts(spec, { now: () => ports.now(), signal: run.signal });
    const query = { measurement: 'host', tags: { region: spec.name }, fromMs: toMs - BASELINE_MS, toMs };
    const asked = within(STORE_TIMEOUT_MS, run.signal, (signal) => ports.metrics.query(query, signal));
    // A store that is away costs the shares; the counters are kept all the same.
    problems.push(...(await attempt('earlier readings of hosts are not known', async () => (rows = await asked))));
    const before = readingsOfRows(rows);
    const usage = hostUsage(names, before, after.readings, ports.now());
    problems.push(...after.problems, ...usage.problems);
    await ports.metrics.write(hostRows(spec.name, after.readings, usage));
  });
  return [...problems, ...failed];
}
