import { statfs, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { IntervalHistogram } from 'node:perf_hooks';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricsStore, StoreHealth } from '../../adapters/metrics/port.js';
import type { Meter } from '../../adapters/telemetry/port.js';
import { setState } from '../../adapters/telemetry/port.js';
import { STORE_STATES } from '../../adapters/telemetry/states.js';
import type { HealthReport, Looked } from './checks.js';
import {
  CHECK_STATES,
  eventLoopCheck,
  healthReport,
  stateDirectoryCheck,
  storeCheck,
  temporalCheck,
  workerCheck,
} from './checks.js';
import { Probe } from './probe.js';

export interface HealthLimits {
  /** How often each thing is looked at. */
  probeMs: number;
  /** Temporal that has not answered for so long counts as away; likewise a disk or a store that hangs. */
  silentMs: number;
  /** A delay of the event loop that counts as a stall. */
  stallMs: number;
}

const HEALTH_LIMITS: HealthLimits = { probeMs: 5000, silentMs: 20_000, stallMs: 2000 };

export interface HealthSources {
  workerState(): string;
  /** Rejects when Temporal does not answer. */
  askTemporal(): Promise<unknown>;
  metrics: Pick<MetricsStore, 'health'>;
  stateDirectory: string;
  now(): number;
}

/** A stall is remembered for this many looks: nobody could be told while it lasted. */
const REMEMBERED_LOOKS = 3;

/** Looks after everything that `/readyz` speaks of; answering costs nothing then. */
export class HealthMonitor {
  private readonly sources: HealthSources;
  private readonly limits: HealthLimits;
  private readonly temporal: Probe<unknown>;
  private readonly store: Probe<StoreHealth>;
  private readonly disk: Probe<number>;
  private readonly loop: Probe<void>;
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  private worstMs: number[] = [];

  constructor(sources: HealthSources, limits: Partial<HealthLimits> = {}) {
    this.sources = sources;
    this.limits = { ...HEALTH_LIMITS, ...limits };
    const probe = <T>(look: () => Promise<T>): Probe<T> =>
      new Probe({ everyMs: this.limits.probeMs, now: () => sources.now(), look });
    this.temporal = probe(() => sources.askTemporal());
    this.store = probe(() => sources.metrics.health());
    this.disk = probe(() => writeAndMeasure(sources.stateDirectory));
    this.loop = probe(async () => this.noteDelay());
  }

  async start(): Promise<void> {
    this.delays.enable();
    await Promise.all(this.probes().map((probe) => probe.start()));
  }

  async stop(): Promise<void> {
    this.delays.disable();
    await Promise.all(this.probes().map((probe) => probe.stop()));
  }

  report(): HealthReport {
    const { sources } = this;
    const silentSeconds = this.limits.silentMs / 1000;
    const state = sources.workerState();
    const checks = [
      workerCheck(state),
      temporalCheck(looked(this.temporal), silentSeconds),
      storeCheck(this.store.value, looked(this.store), silentSeconds),
      eventLoopCheck(this.worstDelayMs() / 1000, this.limits.stallMs / 1000),
      stateDirectoryCheck(looked(this.disk), sources.stateDirectory, silentSeconds),
    ];
    return healthReport(checks, state);
  }

  measure(meter: Meter): void {
    const { ready, checks } = this.report();
    meter.set('psmg_worker_ready', {}, ready ? 1 : 0);
    for (const { name: check, state } of checks) {
      setState(meter, 'psmg_worker_check_state', CHECK_STATES, state, (value) => ({ check, state: value }));
    }
    meter.set('psmg_worker_temporal_age_seconds', {}, this.temporal.ageSeconds());
    meter.set('psmg_worker_state_directory_free_bytes', {}, this.disk.error === null ? this.disk.value : null);
    const store = this.store.value;
    if (store === null) return;
    setState(meter, 'psmg_metrics_store_state', STORE_STATES, store.state, (state) => ({ state }));
    meter.total('psmg_metrics_store_stored_points_total', {}, store.storedPoints);
    meter.set('psmg_metrics_store_queued_points', {}, store.queuedPoints);
    meter.set('psmg_metrics_store_queued_bytes', {}, store.queuedBytes);
  }

  private probes(): readonly Probe<unknown>[] {
    return [this.temporal, this.store, this.disk, this.loop];
  }

  private noteDelay(): void {
    this.worstMs = [...this.worstMs, this.delays.max / 1e6].slice(-REMEMBERED_LOOKS);
    this.delays.reset();
  }

  private worstDelayMs(): number {
    return Math.max(0, this.delays.max / 1e6, ...this.worstMs);
  }
}

function looked(probe: Probe<unknown>): Looked {
  return { ageSeconds: probe.ageSeconds(), error: probe.error };
}

/** Free bytes, after a file was really written: a disk that is full or read-only shows by nothing less. */
async function writeAndMeasure(directory: string): Promise<number> {
  const file = path.join(directory, `.health-${process.pid}`);
  await writeFile(file, `${process.pid}\n`);
  await unlink(file);
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
