import { parsePrometheusText } from '../../core/graph/sources/prometheusText.js';
import type { Sample } from '../../core/graph/sources/prometheusText.js';
import { formatProblem } from '../../core/spec/problem.js';
import type { HostReading } from '../../core/tuning/hostUsage.js';

const CPU = 'node_cpu_seconds_total';

/** Modes of the kernel's accounting, as `node_cpu_seconds_total` names them. `guest` would be counted twice. */
const MODES: Readonly<Record<string, 'busySeconds' | 'idleSeconds' | 'iowaitSeconds' | 'stealSeconds' | null>> = {
  user: 'busySeconds',
  nice: 'busySeconds',
  system: 'busySeconds',
  irq: 'busySeconds',
  softirq: 'busySeconds',
  idle: 'idleSeconds',
  iowait: 'iowaitSeconds',
  steal: 'stealSeconds',
  guest: null,
  guest_nice: null,
};

/**
 * A reading from the metrics of a node exporter (Prometheus' text format). `at` in ms since the epoch. Throws with
 * words when the text is none, or holds no sound CPU counters; memory and load that are missing are `null`.
 */
export function parseNodeExporter(text: string, host: string, at: number): HostReading {
  const { samples, problems } = parsePrometheusText(text, 'metrics');
  const [problem] = problems;
  if (problem !== undefined) throw new Error(`is no Prometheus text: ${formatProblem(problem)}`);
  return {
    host,
    at,
    ...cpuOf(samples),
    memoryTotalBytes: gauge(samples, 'node_memory_MemTotal_bytes'),
    memoryAvailableBytes: gauge(samples, 'node_memory_MemAvailable_bytes'),
    load1: gauge(samples, 'node_load1'),
  };
}

function cpuOf(
  samples: readonly Sample[],
): Pick<HostReading, 'cpus' | 'busySeconds' | 'idleSeconds' | 'iowaitSeconds' | 'stealSeconds'> {
  const sums = { busySeconds: 0, idleSeconds: 0, iowaitSeconds: 0, stealSeconds: 0 };
  const idleOf = new Set<string>();
  const all = new Set<string>();
  for (const { name, labels, value } of samples) {
    if (name !== CPU) continue;
    const { cpu = '', mode = '' } = labels;
    all.add(cpu);
    const counter = MODES[mode];
    if (counter === undefined) throw new Error(`${CPU} has a mode that is not known: ${JSON.stringify(mode)}`);
    if (!(value >= 0 && value < Infinity)) throw new Error(`${CPU} of CPU ${cpu} in mode ${mode} is ${value}`);
    if (mode === 'idle') idleOf.add(cpu);
    if (counter !== null) sums[counter] += value;
  }
  if (all.size === 0) throw new Error(`has no ${CPU}: it is no node exporter, or its cpu collector is off`);
  // Without its idle time a CPU would look busy.
  if (idleOf.size !== all.size) throw new Error(`${CPU} lacks mode "idle" of ${all.size - idleOf.size} CPUs`);
  return { cpus: all.size, ...sums };
}

function gauge(samples: readonly Sample[], name: string): number | null {
  const value = samples.find((sample) => sample.name === name)?.value;
  return value !== undefined && value >= 0 && value < Infinity ? value : null;
}
