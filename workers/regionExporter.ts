import type { Client } from '@temporalio/client';
import { openRegion, regionOfWorkflow } from '../activities/telemetry.js';
import type { Log } from '../adapters/telemetry/log.js';
import type { Meter } from '../adapters/telemetry/port.js';
import { setState } from '../adapters/telemetry/port.js';
import { BLOCKED_REASONS, PHASES, TRUSTS } from '../adapters/telemetry/states.js';
import type { RegionStatus, TunerState } from '../workflows/regionLifecycle/status.js';
import { REGION_WORKFLOW_TYPE, regionWorkflowId } from '../workflows/shared/names.js';
import { SEARCH_ATTRIBUTES } from '../workflows/shared/searchAttributes.js';
import { Probe } from './health/probe.js';

export interface RegionExporterOptions {
  client: Client;
  meter: Meter;
  log: Log;
  /** Milliseconds, by a clock that never goes back. */
  now(): number;
}

const LIST_EVERY_MS = 15_000;
/** How often a region is asked for its status where its phase stays; a change of phase is followed at once. */
const STATUS_EVERY_MS = 60_000;
/**
 * Regions that are asked after one list, at most: a thousand of them must not keep a cluster busy with questions. 240 are
 * asked each minute, and a thousand each within 5.
 */
const ASKS_PER_LIST = 60;
/** What visibility has not confirmed for so long is not shown any more. */
const UNKNOWN_MS = 120_000;

const LIST_WITHIN_MS = 10_000;
const STATUS_WITHIN_MS = 5000;
const STATUS_AT_ONCE = 4;

const TUNER_STATE: Readonly<Record<TunerState, true>> = {
  'not-started': true,
  running: true,
  held: true,
  'tuner-stopped': true,
};
const TUNER_STATES = Object.keys(TUNER_STATE);

interface Listed {
  region: string;
  phase: string;
  blockedReason: string | null;
}

/**
 * Shows every running region as Temporal knows it: phase and block from visibility, so that a region whose worker does
 * nothing shows too, the rest from its status. A region that has closed takes its series with it.
 */
export class RegionExporter {
  private readonly options: RegionExporterOptions;
  private readonly probe: Probe<void>;
  /** When each running region is due to be asked, and what it was like then. */
  private readonly asked = new Map<string, { dueMs: number; seen: string }>();
  private readonly opened = new Set<string>();
  /** Regions with series that the last list did not hold; a list may lag behind a start. */
  private missing: ReadonlySet<string> = new Set();

  constructor(options: RegionExporterOptions) {
    this.options = options;
    this.probe = new Probe({
      everyMs: LIST_EVERY_MS,
      now: () => options.now(),
      look: () => this.refresh(),
      onError: (error) => this.failed(error),
    });
  }

  async start(): Promise<void> {
    await this.probe.start();
  }

  async stop(): Promise<void> {
    await this.probe.stop();
  }

  measure(): void {
    this.options.meter.set('psmg_worker_visibility_age_seconds', {}, this.probe.ageSeconds());
  }

  private failed(error: unknown): void {
    const { meter, log } = this.options;
    meter.add('psmg_worker_visibility_errors_total', { call: 'list' });
    log.write('warn', 'the regions cannot be listed', { component: 'exporter', error });
    if (this.probe.ageSeconds() * 1000 > UNKNOWN_MS) {
      for (const region of this.asked.keys()) forgetState(meter, region);
      this.asked.clear();
    }
  }

  private async refresh(): Promise<void> {
    const { meter, now } = this.options;
    const running = await this.list();
    for (const listed of running) {
      if (!this.opened.has(listed.region)) openRegion(meter, listed.region);
      this.opened.add(listed.region);
      showListed(meter, listed);
    }
    this.forgetClosed(new Set(running.map(({ region }) => region)));
    // While nobody answers, each question takes its whole time: the next list must not wait for all of them.
    const untilMs = now() + LIST_EVERY_MS / 2;
    const due = this.due(running);
    for (let i = 0; i < due.length && now() < untilMs; i += STATUS_AT_ONCE) {
      await Promise.all(due.slice(i, i + STATUS_AT_ONCE).map((listed) => this.ask(listed)));
    }
  }

  /** Those whose phase changed or that were never asked first, then those that have waited longest. */
  private due(running: readonly Listed[]): readonly Listed[] {
    const nowMs = this.options.now();
    const dueMs = (listed: Listed): number => {
      const before = this.asked.get(listed.region);
      return before === undefined || before.seen !== seenOf(listed) ? -Infinity : before.dueMs;
    };
    return running
      .map((listed) => ({ listed, dueMs: dueMs(listed) }))
      .filter((one) => one.dueMs <= nowMs)
      .sort((a, b) => (a.dueMs === b.dueMs ? 0 : a.dueMs - b.dueMs))
      .slice(0, ASKS_PER_LIST)
      .map(({ listed }) => listed);
  }

  private async list(): Promise<readonly Listed[]> {
    const { client } = this.options;
    const query = `WorkflowType = '${REGION_WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'`;
    return client.withDeadline(Date.now() + LIST_WITHIN_MS, async () => {
      const running: Listed[] = [];
      for await (const { workflowId, typedSearchAttributes: attributes } of client.workflow.list({ query })) {
        const region = attributes.get(SEARCH_ATTRIBUTES.region) ?? regionOfWorkflow(workflowId);
        if (region === null) continue;
        const reason = attributes.get(SEARCH_ATTRIBUTES.blockedReason) ?? 'none';
        const phase = attributes.get(SEARCH_ATTRIBUTES.phase) ?? 'accepting';
        running.push({ region, phase, blockedReason: reason === 'none' ? null : reason });
      }
      return running;
    });
  }

  /** Only what two lists in a row do not hold has closed: one that starts, or goes on as new, may not be listed yet. */
  private forgetClosed(running: ReadonlySet<string>): void {
    const { meter } = this.options;
    const missing = [...meter.regions()].filter((region) => !running.has(region));
    for (const region of missing) {
      if (!this.missing.has(region)) continue;
      this.asked.delete(region);
      this.opened.delete(region);
      meter.forgetRegion(region);
    }
    this.missing = new Set(missing);
  }

  private async ask(listed: Listed): Promise<void> {
    const { client, meter, log, now } = this.options;
    const { region } = listed;
    this.asked.set(region, { dueMs: now() + STATUS_EVERY_MS, seen: seenOf(listed) });
    try {
      const handle = client.workflow.getHandle(regionWorkflowId(region));
      const status = await client.withDeadline(Date.now() + STATUS_WITHIN_MS, () =>
        handle.query<RegionStatus>('status'),
      );
      showStatus(meter, status);
    } catch (error) {
      meter.add('psmg_worker_visibility_errors_total', { call: 'status' });
      log.write('debug', 'the region does not answer for its status', { component: 'exporter', region, error });
      forgetStatus(meter, region);
    }
  }
}

function seenOf({ phase, blockedReason }: Listed): string {
  return `${phase} ${blockedReason ?? ''}`;
}

function showListed(meter: Meter, { region, phase, blockedReason }: Listed): void {
  setState(meter, 'psmg_region_phase', PHASES, phase, (value) => ({ region, phase: value }));
  setState(meter, 'psmg_region_blocked', BLOCKED_REASONS, blockedReason, (reason) => ({ region, reason }));
}

function showStatus(meter: Meter, status: RegionStatus): void {
  const { region, trust, tuner, window, deployments } = status;
  setState(meter, 'psmg_region_trust', TRUSTS, trust, (value) => ({ region, trust: value }));
  setState(meter, 'psmg_region_tuner', TUNER_STATES, tuner.state, (state) => ({ region, state }));
  const windowMs = window === undefined ? null : Date.parse(window);
  meter.set('psmg_region_window_start_timestamp_seconds', { region }, windowMs === null ? null : windowMs / 1000);
  meter.set('psmg_region_frozen', { region }, status.freeze === null ? 0 : 1);
  meter.set('psmg_region_overrides', { region }, status.rolledBackTo === null ? status.overrides.length : 0);
  meter.set('psmg_region_refused_messages', { region }, status.refused.total);
  const newest = deployments.at(-1);
  meter.set('psmg_region_local_ratio', { region }, newest === undefined ? null : newest.localPercent / 100);
}

/** A region that does not answer is not known, and an old answer is none. */
function forgetStatus(meter: Meter, region: string): void {
  for (const trust of TRUSTS) meter.set('psmg_region_trust', { region, trust }, null);
  for (const state of TUNER_STATES) meter.set('psmg_region_tuner', { region, state }, null);
  meter.set('psmg_region_window_start_timestamp_seconds', { region }, null);
  meter.set('psmg_region_frozen', { region }, null);
  meter.set('psmg_region_overrides', { region }, null);
  meter.set('psmg_region_refused_messages', { region }, null);
  meter.set('psmg_region_local_ratio', { region }, null);
}

function forgetState(meter: Meter, region: string): void {
  for (const phase of PHASES) meter.set('psmg_region_phase', { region, phase }, null);
  for (const reason of BLOCKED_REASONS) meter.set('psmg_region_blocked', { region, reason }, null);
  forgetStatus(meter, region);
}
