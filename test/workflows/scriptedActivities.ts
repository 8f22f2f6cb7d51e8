import { ApplicationFailure } from '@temporalio/common';
import type {
  AcceptedRegion,
  ApplyInput,
  ApplyOutcome,
  AuditInput,
  AuditOutcome,
  CalendarOutcome,
  PlannedWindow,
  JudgeInput,
  NotifyInput,
  ReceiversOutcome,
  RegionActivities,
  TickInput,
  TickOutcome,
} from '../../activities/contract.js';
import type { AuditLog } from '../../adapters/audit/port.js';
import { recordAudit } from '../../activities/recordAudit.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';

/** One write as a target would see it. */
export interface Write {
  by: 'deploy' | 'apply' | 'restore';
  epoch: number;
  expectedHash: string | null;
  hash: string;
  localPercent?: number;
  overrides?: readonly string[];
  readyInstances?: Readonly<Record<string, number>>;
  window?: string;
}

/**
 * A region whose outside is a script: faults and verdicts happen when a test wants them. The target's
 * compare-and-swap is kept, so that a second writer or a wrong expectation shows as drift.
 */
export class ScriptedRegion {
  readonly writes: Write[] = [];
  readonly calls: string[] = [];
  readonly entry: ('activate' | 'drain')[] = [];
  hash: string | null = null;
  epoch = 0;
  accepted: Partial<AcceptedRegion> = {};
  /** Of the plan; made when it is planned. */
  windows: () => readonly PlannedWindow[] | undefined = () => undefined;
  /** Windows whose instances were asked for, in order; `first` where none was named. */
  readonly asked: string[] = [];
  plans = 0;
  /** Of the next plans; absent: 100 %. */
  blastPercent: number | undefined;
  calendar: CalendarOutcome = { freezes: [], untilMs: Number.MAX_SAFE_INTEGER };
  /** What other regions lack to take the users of this one. */
  shortfalls: ReceiversOutcome['shortfalls'] = [];
  readonly told: NotifyInput[] = [];
  /** Where notes are kept; absent: they are counted, and forgotten. */
  audit: AuditLog | null = null;
  /** Whoever took the audit away can bring it back. */
  auditIsBack: () => void = () => undefined;
  private recorded = 0;
  private replanMs: number | undefined;
  /** The next calls of an activity fail with these, in order. */
  readonly faults: Partial<Record<keyof RegionActivities, ApplicationFailure[]>> = {};
  readonly verdicts: ('successful' | 'failed' | 'inconclusive')[] = [];
  /** Called in the middle of an activity. */
  during: (name: keyof RegionActivities) => Promise<void> = async () => undefined;
  tickOutcome: (input: TickInput) => Partial<TickOutcome> = () => ({});

  activities(): RegionActivities {
    return {
      acceptRegion: (text) => this.run('acceptRegion', () => this.accept(text)),
      forecastRegion: () =>
        this.run('forecastRegion', () => ({ ref: ref('forecast'), trust: 'high', services: [], notes: [] })),
      planRegion: () =>
        this.run('planRegion', () => {
          const windows = this.windows();
          this.plans += 1;
          const plan = { ref: ref('plan'), hash: `p${this.plans}` };
          const blastRadius =
            this.blastPercent === undefined ? {} : { blastRadius: { percent: this.blastPercent, services: [] } };
          return { plan, services: [], warnings: [], ...blastRadius, ...(windows === undefined ? {} : { windows }) };
        }),
      deployRelease: (input) =>
        this.run('deployRelease', () => {
          const hash = this.swap('deploy', input);
          const changed = this.writes.filter((w) => w.by === 'deploy').length > 1 ? 0 : 3;
          const recap = { 'edge-1': { ok: 9, changed, failures: 0, unreachable: 0, skipped: 0 } };
          const at = new Date().toISOString();
          return {
            deploymentId: input.deploymentId,
            releaseHash: hash,
            reattached: false,
            recap,
            startedAt: at,
            finishedAt: at,
          };
        }),
      applyIntent: (input) => this.run('applyIntent', () => this.applied(this.swap('apply', input))),
      readBack: () => this.run('readBack', () => ({ mismatches: [] })),
      readTargets: () =>
        this.run('readTargets', () => [
          { host: 'edge-1', epoch: this.epoch, hash: this.hash, drifted: [], held: null },
        ]),
      exportTargets: ({ window }) =>
        this.run('exportTargets', () => {
          this.asked.push(window ?? 'first');
          return { called: true };
        }),
      awaitStack: () =>
        this.run('awaitStack', () => {
          const at = new Date().toISOString();
          return { firstInstanceReadyAt: at, allReadyAt: at, readyInstances: { shop: 2 }, planned: { shop: 2 } };
        }),
      moveEntry: ({ phase }) =>
        this.run('moveEntry', () => {
          this.entry.push(phase);
          return { called: true };
        }),
      judgeStage: (input) => this.run('judgeStage', () => this.judge(input)),
      restoreDeployment: (input) =>
        this.run('restoreDeployment', () => {
          this.require(input.epoch, input.expectedHash, input.releaseHash);
          this.writes.push({
            by: 'restore',
            epoch: input.epoch,
            expectedHash: input.expectedHash,
            hash: input.releaseHash,
          });
          this.hash = input.releaseHash;
          return this.applied(input.releaseHash);
        }),
      tick: (input) =>
        this.run('tick', () => ({
          at: new Date().toISOString(),
          completeness: 1,
          services: [],
          readyInstances: { shop: 2 },
          verdict: null,
          decision: { kind: 'none', reason: 'nothing to do' },
          ...this.tickOutcome(input),
        })),
      readCalendar: () => this.run('readCalendar', () => this.calendar),
      checkReceivers: () => this.run('checkReceivers', () => ({ shortfalls: this.shortfalls })),
      notify: (input) =>
        this.run('notify', () => {
          this.told.push(input);
          return { delivered: [0], problems: [] };
        }),
      recordAudit: (input) => this.record(input),
    };
  }

  /** What the region file would say in `planning.replanSeconds`. */
  scheduleReplans(replanMs: number): void {
    this.replanMs = replanMs;
  }

  private async record(input: AuditInput): Promise<AuditOutcome> {
    const { audit } = this;
    await this.during('recordAudit');
    const fault = this.faults.recordAudit?.shift();
    if (fault !== undefined) throw fault;
    if (audit !== null) return recordAudit({ audit } as unknown as Ports)(input, {} as ActivityRun);
    this.recorded += input.entries.length;
    return { seq: this.recorded, hash: '0'.repeat(64), conflicts: 0 };
  }

  private async run<T>(name: keyof RegionActivities, work: () => T): Promise<T> {
    this.calls.push(name);
    await this.during(name);
    const fault = this.faults[name]?.shift();
    if (fault !== undefined) throw fault;
    return work();
  }

  private accept(text: unknown): AcceptedRegion {
    if (typeof text !== 'string') throw ApplicationFailure.nonRetryable('no text', 'invalid-region');
    return {
      name: text,
      specRef: ref('region'),
      autonomy: 'act',
      services: ['shop'],
      regions: [text, 'neighbour'],
      hosts: ['edge-1'],
      settingRules: SETTING_FIELDS,
      activationSteps: [50, 100],
      maxInconclusive: 2,
      tunables: {
        tickMs: 300,
        judgeMs: 100,
        stackTimeoutMs: 60_000,
        deployTimeoutMs: 60_000,
        holdTimeoutMs: 3000,
        ticksPerReport: 3,
        maxOverrides: 3,
        maxKeys: 50,
        keyLifetimeMs: 86_400_000,
        ...(this.replanMs === undefined ? {} : { replanMs: this.replanMs }),
      },
      warnings: [],
      ...this.accepted,
    };
  }

  private swap(by: 'deploy' | 'apply', input: ApplyInput): string {
    const { stage, overrides, adjustments, readyInstances, window } = input.intent;
    const set = overrides.map((o) => [o.address, o.value]);
    const layers = JSON.stringify([input.plan.hash, stage, set, adjustments, readyInstances, window]);
    const hash = `h${[...layers].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 1_000_000_007, 7)}`;
    this.require(input.epoch, input.expectedHash, hash);
    const { epoch, expectedHash } = input;
    this.writes.push({
      by,
      epoch,
      expectedHash,
      hash,
      localPercent: stage.localPercent,
      overrides: overrides.map((o) => `${o.address}=${o.value}`),
      ...(readyInstances === undefined ? {} : { readyInstances }),
      ...(window === undefined ? {} : { window }),
    });
    this.hash = hash;
    return hash;
  }

  private require(epoch: number, expectedHash: string | null, wanted: string): void {
    if (epoch < this.epoch) throw ApplicationFailure.nonRetryable(`stale epoch ${epoch}`, 'drift');
    this.epoch = epoch;
    if (this.hash !== wanted && this.hash !== expectedHash) {
      throw ApplicationFailure.nonRetryable(`runs ${this.hash}, expected ${expectedHash}`, 'drift');
    }
  }

  private applied(releaseHash: string): ApplyOutcome {
    return { releaseHash, hosts: [{ host: 'edge-1', outcome: 'applied' }] };
  }

  private judge(input: JudgeInput): Awaited<ReturnType<RegionActivities['judgeStage']>> {
    const verdict = this.verdicts.shift() ?? 'successful';
    return { verdict, reason: `${verdict} at ${input.localPercent} %`, services: [] };
  }
}

function ref(kind: string): { kind: string; hash: string; bytes: number } {
  return { kind, hash: `${kind}-hash`, bytes: 1 };
}
