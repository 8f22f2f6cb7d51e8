import type { AuditLog } from '../adapters/audit/port.js';
import type { ArtifactStore } from '../adapters/artifacts/port.js';
import type { DeliveryRunner } from '../adapters/delivery/port.js';
import type { ForecastCompute } from '../adapters/compute/port.js';
import type { EventsReader } from '../adapters/events/reader.js';
import type { DemandHistory } from '../adapters/history/port.js';
import type { HookClient } from '../adapters/hooks/port.js';
import type { ForecastMemory } from '../adapters/memory/port.js';
import type { ProxyTarget } from '../adapters/mesh/port.js';
import type { MetricsStore } from '../adapters/metrics/port.js';
import type { Webhooks } from '../adapters/notifications/port.js';
import type { SignalSource } from '../adapters/signals/port.js';
import type { RegressorSample } from '../core/spec/csvRegressors.js';
import type { LstmTraining } from '../core/forecast/members/lstm/training.js';
import type { Problem } from '../core/spec/problem.js';
import type { DeliveryTool, HostSpec, MeshKind, RegionSpec } from '../core/spec/region.js';

/** Everything of the outside that activities use. A worker composes it once. */
export interface Ports {
  artifacts: ArtifactStore;
  history: DemandHistory;
  events: EventsReader;
  /** Values known over history and horizon, from the file that a region names. */
  regressors(
    file: string,
    signal?: AbortSignal,
  ): Promise<{ samples: readonly RegressorSample[]; problems: readonly Problem[] }>;
  compute: ForecastCompute;
  memory: ForecastMemory;
  trainer: NetworkTrainer;
  /** Absent: the ways to other regions are as the region file states them. */
  prober?: NetworkProber;
  metrics: MetricsStore;
  /** A second source beside our own reading of the proxies; absent: there is none. */
  signals?: SignalSource;
  /** While it is away workflows go on without; what they note waits in their state. */
  audit: AuditLog;
  hooks: HookClient;
  notifications: Webhooks;
  openTarget(host: HostSpec): ProxyTarget;
  delivery: Readonly<Record<DeliveryTool, DeliveryRunner>>;
  /** Asks the mesh's own validation about one flattened document. */
  validate: Readonly<Record<MeshKind, (flattened: string, signal: AbortSignal) => Promise<readonly Problem[]>>>;
  readText(file: string): Promise<string>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Trains networks beside everything else, one at a time. */
export interface NetworkTrainer {
  /** Returns at once. A region that waits or trains already is not queued again. */
  offer(region: string, training: LstmTraining): void;
}

/** Measures the ways to a region's neighbours beside everything else. */
export interface NetworkProber {
  /** Returns at once; measures when it is time. */
  offer(spec: RegionSpec): void;
}

/** What an activity gets besides its input. */
export interface ActivityRun {
  /** Aborted with reason `cancel` when a person or the workflow wants it to stop, `shutdown` when the worker goes. */
  signal: AbortSignal;
  /** Tells Temporal that the work is alive, with what a later attempt needs to go on. */
  progress(details: unknown): void;
  /** Details of the last `progress` of an earlier attempt. */
  lastProgress: unknown;
}

/** Every activity: ports first, so that it is a plain function to test and to call from the command line. */
export type Activity<I, O> = (ports: Ports) => (input: I, run: ActivityRun) => Promise<O>;
