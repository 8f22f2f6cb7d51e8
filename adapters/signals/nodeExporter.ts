import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import type { HostReading, HostReadings, HostUsages } from '../../core/tuning/hostUsage.js';
import { knownFields } from '../metrics/knownFields.js';
import { readLimited } from '../http/response.js';
import type { MetricRow } from '../metrics/port.js';
import { parseNodeExporter } from './nodeExporterText.js';

/** A tick waits for it. */
const TIMEOUT_MS = 2000;
/** A node exporter with everything switched on tells less than a tenth of this. */
const LARGEST_BYTES = 8 << 20;
/** What is asked for of all that it could tell; an exporter that knows no such filter tells everything. */
const COLLECTORS = ['cpu', 'meminfo', 'loadavg'];

export interface ReadHostsOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  signal?: AbortSignal;
  /** Of one answer; default 2 s. */
  timeoutMs?: number;
}

/** Names of the hosts whose CPU and memory the region file says where to read. */
export function measuredHosts(spec: RegionSpec): readonly string[] {
  return spec.delivery.hosts.filter(({ nodeExporter }) => nodeExporter !== undefined).map(({ name }) => name);
}

/**
 * Reads the node exporters of a region's hosts, all at once. One that does not answer, or not as one, is a problem and
 * no reading; rejects only when it is aborted.
 */
export async function readHosts(spec: RegionSpec, options: ReadHostsOptions): Promise<HostReadings> {
  const asked = spec.delivery.hosts.flatMap((host) =>
    host.nodeExporter === undefined ? [] : [{ host, url: host.nodeExporter }],
  );
  const read = await Promise.allSettled(asked.map(({ host, url }) => readHost(host, url, options)));
  options.signal?.throwIfAborted();
  return {
    readings: read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    problems: read.flatMap((result, i) =>
      result.status === 'rejected' ? [`${asked[i]?.host.name}: ${asked[i]?.url}: ${wordsOf(result.reason)}`] : [],
    ),
  };
}

async function readHost(host: HostSpec, address: string, options: ReadHostsOptions): Promise<HostReading> {
  const url = new URL(address);
  if (url.search === '') for (const one of COLLECTORS) url.searchParams.append('collect[]', one);
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const response = await fetch(url, { signal, headers: { accept: 'text/plain; version=0.0.4' } });
  const text = await readLimited(response, LARGEST_BYTES);
  if (text === null) throw new Error(`answers with more than ${LARGEST_BYTES} bytes`);
  if (!response.ok) throw new Error(`answered ${response.status}: ${text.slice(0, 200).trim()}`);
  return parseNodeExporter(text, host.name, options.now());
}

/** What `fetch` says by itself is "fetch failed"; why is in the cause. */
function wordsOf(reason: unknown): string {
  const { message = String(reason), cause } = reason as { message?: string; cause?: { message?: string } };
  return cause?.message === undefined ? message : `${message}: ${cause.message}`;
}

/**
 * One wide row a host: what is charted, and the counters that the next reading is compared with. What is not known has
 * no field.
 */
export function hostRows(region: string, readings: readonly HostReading[], usages: HostUsages): MetricRow[] {
  return readings.map((reading): MetricRow => {
    const usage = usages.hosts.find(({ host }) => host === reading.host);
    const fields: Record<string, number | null | undefined> = {
      cpu_share: usage?.cpuShare,
      iowait_share: usage?.iowaitShare,
      steal_share: usage?.stealShare,
      memory_share: usage?.memoryShare,
      load1: reading.load1,
      cpus: reading.cpus,
      cpu_busy_seconds: reading.busySeconds,
      cpu_idle_seconds: reading.idleSeconds,
      cpu_iowait_seconds: reading.iowaitSeconds,
      cpu_steal_seconds: reading.stealSeconds,
      memory_total_bytes: reading.memoryTotalBytes,
      memory_available_bytes: reading.memoryAvailableBytes,
    };
    return { measurement: 'host', tags: { region, host: reading.host }, at: reading.at, fields: knownFields(fields) };
  });
}

/** The readings that rows of `hostRows` were made from; a row without all CPU counters is none. */
export function readingsOfRows(rows: readonly MetricRow[]): HostReading[] {
  return rows.flatMap(({ measurement, tags, at, fields }): HostReading[] => {
    const { host } = tags;
    const { cpus, cpu_busy_seconds: busySeconds, cpu_idle_seconds: idleSeconds } = fields;
    const { cpu_iowait_seconds: iowaitSeconds, cpu_steal_seconds: stealSeconds } = fields;
    if (measurement !== 'host' || host === undefined || cpus === undefined) return [];
    if (busySeconds === undefined || idleSeconds === undefined) return [];
    if (iowaitSeconds === undefined || stealSeconds === undefined) return [];
    const memoryTotalBytes = fields['memory_total_bytes'] ?? null;
    const memoryAvailableBytes = fields['memory_available_bytes'] ?? null;
    const load1 = fields['load1'] ?? null;
    const cpu = { cpus, busySeconds, idleSeconds, iowaitSeconds, stealSeconds };
    return [{ host, at, ...cpu, memoryTotalBytes, memoryAvailableBytes, load1 }];
  });
}
