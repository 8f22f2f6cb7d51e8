import type { ActivityRun, Ports } from './ports.js';
import { pause } from './applyIntent.js';
import { limited, within } from './limited.js';
import { OWN_WINDOW_FIELDS, ownWindows } from './metricRows.js';
import { withTargets } from './targets.js';
import { PROXY_READERS } from '../adapters/mesh/readers.js';
import type { Observation, ProxySnapshot } from '../core/spec/observation.js';
import type { RegionSpec } from '../core/spec/region.js';
import type { SignalSet } from '../core/spec/signals.js';
import { crossCheck } from '../core/tuning/crossCheck.js';
import type { OwnWindow } from '../core/tuning/ownWindows.js';
import { observe } from '../core/tuning/observe.js';
import type { ReadingRules } from '../core/tuning/observeHost.js';
import { withSaturation, withSignals } from '../core/tuning/saturation.js';

/** Sockets, sessions and buffers that one reading of a region holds at most. */
const PROXIES_AT_ONCE = 16;
/** One that hangs costs so much once, and holds up no other. */
const PROXY_TIMEOUT_MS = 5000;
/** A second source may be late or away: the tick goes on without it. */
const SIGNALS_TIMEOUT_MS = 2000;
/** A store may be away: nothing that it keeps is worth more of a tick than this. */
export const STORE_TIMEOUT_MS = 3000;
/** Of the usual window: what is longer has no baseline, and what is older is stale. */
const MOST_WINDOWS = 3;

export interface Snapshots {
  snapshots: readonly ProxySnapshot[];
  problems: readonly string[];
}

/** Counters of every proxy that answers; one that does not makes the observation incomplete, it does not fail it. */
export async function takeSnapshots(
  ports: Ports,
  spec: RegionSpec,
  run: ActivityRun,
  planHash?: string,
): Promise<Snapshots> {
  const reader = PROXY_READERS[spec.mesh.kind];
  return withTargets(ports, spec, async (targets) => {
    const read = await limited(targets, PROXIES_AT_ONCE, async (target) => {
      run.progress('reading proxies');
      return within(PROXY_TIMEOUT_MS, run.signal, (signal) => reader.snapshot(target, spec, () => ports.now(), signal));
    });
    run.signal.throwIfAborted();
    const snapshots = read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    return {
      snapshots: planHash === undefined ? snapshots : snapshots.map((snapshot) => ({ ...snapshot, planHash })),
      problems: read.flatMap((result, i) =>
        result.status === 'rejected' ? [`${targets[i]?.host ?? i}: ${String(result.reason)}`] : [],
      ),
    };
  });
}

export interface Window {
  previous: readonly ProxySnapshot[];
  current: Snapshots;
  /** How long a window usually is. */
  usualMs: number;
  planHash: string;
}

/** The record of one window: both readings of the proxies, and what a second source says of the same time. */
export async function observationOf(
  ports: Ports,
  spec: RegionSpec,
  window: Window,
  run: ActivityRun,
): Promise<Observation> {
  const { previous, current, usualMs, planHash } = window;
  const hosts = spec.delivery.hosts.map((host) => host.name);
  const mostSeconds = (MOST_WINDOWS * usualMs) / 1000;
  const rules: ReadingRules = { maxWindowSeconds: mostSeconds, maxAgeSeconds: mostSeconds, planHash };
  const nowMs = ports.now();
  const seen = observe(spec.name, hosts, previous, current.snapshots, new Date(nowMs).toISOString(), rules);
  const observation = { ...seen, problems: [...seen.problems, ...current.problems] };
  return withSaturation(await withSecondSource(ports, spec, observation, run), spec.services);
}

/** Compared with the second source, and filled with what only that knows; a source that fails leaves a problem. */
async function withSecondSource(
  ports: Ports,
  spec: RegionSpec,
  observation: Observation,
  run: ActivityRun,
): Promise<Observation> {
  const { signals } = ports;
  const windowMs = Math.max(0, ...observation.services.map((s) => s.windowSeconds * 1000));
  if (signals === undefined || windowMs === 0) return observation;
  const toMs = Math.round(Date.parse(observation.at) - (observation.ageSeconds ?? 0) * 1000);
  try {
    const told = await within(SIGNALS_TIMEOUT_MS, run.signal, (signal) =>
      signals.read(spec, toMs - windowMs, toMs, signal),
    );
    const earlier = await earlierWindows(ports, spec, told, windowMs, run);
    return crossCheck(withSignals(observation, told), told, earlier);
  } catch (error) {
    run.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return { ...observation, problems: [...observation.problems, `the second source is not read: ${why}`] };
  }
}

/** What the proxies counted before this window, where the other source speaks of a longer one; none where that is not known. */
async function earlierWindows(
  { metrics }: Ports,
  spec: RegionSpec,
  { fromMs, toMs, services }: SignalSet,
  windowMs: number,
  run: ActivityRun,
): Promise<readonly OwnWindow[]> {
  const speaks = services.some(({ rps, errorRate }) => rps !== null || errorRate !== null);
  if (!speaks || toMs - fromMs <= windowMs) return [];
  // Twice the time: the other source may be late by half of it.
  const range = { fromMs: fromMs - (toMs - fromMs), toMs: toMs + 1 };
  const query = { measurement: 'service', tags: { region: spec.name }, ...range, fields: OWN_WINDOW_FIELDS };
  try {
    return ownWindows(await within(STORE_TIMEOUT_MS, run.signal, (signal) => metrics.query(query, signal)));
  } catch {
    run.signal.throwIfAborted();
    return [];
  }
}

/** Watches for a stated time between two snapshots. */
export async function observeFor(
  ports: Ports,
  spec: RegionSpec,
  durationMs: number,
  planHash: string,
  run: ActivityRun,
): Promise<{ observation: Observation; last: readonly ProxySnapshot[] }> {
  const before = await takeSnapshots(ports, spec, run, planHash);
  // By what was slept, not by the clock: one that goes back would keep us here.
  for (let leftMs = durationMs; leftMs > 0; leftMs -= 1000) {
    run.progress('watching');
    await pause(Math.min(1000, leftMs));
    run.signal.throwIfAborted();
  }
  const current = await takeSnapshots(ports, spec, run, planHash);
  const window = { previous: before.snapshots, current, usualMs: durationMs, planHash };
  return { observation: await observationOf(ports, spec, window, run), last: current.snapshots };
}

/** Ready instances of our own region by service: what the proxy that sees the fewest sees. */
export function readyInstances(spec: RegionSpec, snapshots: readonly ProxySnapshot[]): Record<string, number> {
  const ready: Record<string, number> = {};
  for (const { name } of spec.services) {
    const counts = snapshots.map(({ services: { [name]: seen } }) => {
      // Those that are up without being planned are capacity too: it is used once it is known.
      return (seen?.healthyByRegion[spec.name] ?? 0) + (seen?.healthyUnplanned ?? 0);
    });
    ready[name] = counts.length === 0 ? 0 : Math.min(...counts);
  }
  return ready;
}
