import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { recordAudit } from '../../activities/recordAudit.js';
import type {
  AcceptedRegion,
  ApplyInput,
  ApplyOutcome,
  DeployInput,
  DeployOutcome,
  RegionActivities,
  TickInput,
  TickOutcome,
} from '../../activities/contract.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import type { AuditLog } from '../../adapters/audit/port.js';
import type { ArtifactRef } from '../../core/spec/artifact.js';
import type { LiveIntent } from '../../core/spec/live.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import type { Effect } from './effects.js';
import { EffectLog } from './effects.js';
import type { Point } from './passes.js';

/** What an adjustment of the script moves, and by how much. */
export const TUNED = { address: 'shop.timeout.requestMs', from: 1000, to: 1100 } as const;
/** Lives of this kind fail a stage, so that a person aborts them. */
export const isAborted = (life: string): boolean => life.endsWith('-abort');

/** Why, in the words of the verdict: an activity that was lost too often blocks a stage as well. */
export const FAILED_STAGE = 'more errors than at the neighbour';

const BEATS = 3;
const BEAT_MS = 60;

export interface OutsideOptions {
  folder: string;
  audit: AuditLog;
  /** Called wherever a worker may die; returns or never. */
  at(life: string, activity: string, point: Point): void;
}

/** The outside of every life, as files below one folder, by the life's name. */
export function fileOutside({ folder, audit, at }: OutsideOptions): RegionActivities {
  const logOf = (ref: ArtifactRef): EffectLog => new EffectLog(folder, ref.hash);
  /** `work` is the effect; the rest of the activity is the time around it. */
  const run = async <T>(name: string, life: string, beats: number, work: () => T | Promise<T>): Promise<T> => {
    at(life, name, 'before');
    for (let beat = 0; beat < beats; beat += 1) {
      await sleep(BEAT_MS);
      Context.current().heartbeat(beat);
      if (beat === 1) at(life, name, 'beat');
    }
    const done = await work();
    at(life, name, 'after');
    return done;
  };
  return {
    acceptRegion: async (text) => Promise.resolve(accept(text)),
    forecastRegion: ({ specRef }) =>
      run('forecastRegion', specRef.hash, BEATS, () => {
        return { ref: refOf('forecast'), trust: 'high', services: [], notes: [] } as const;
      }),
    planRegion: ({ specRef, previousRef }) =>
      run('planRegion', specRef.hash, BEATS, () => {
        const hash = previousRef === undefined ? 'p1' : `p${Number(previousRef.hash.slice(1)) + 1}`;
        return { plan: { ref: refOf(hash), hash }, services: [], warnings: [] };
      }),
    deployRelease: (input) =>
      run('deployRelease', input.specRef.hash, BEATS, () => deploy(folder, logOf(input.specRef), input)),
    applyIntent: (input) => run('applyIntent', input.specRef.hash, 0, () => swap(logOf(input.specRef), 'apply', input)),
    restoreDeployment: ({ specRef, releaseHash, epoch, expectedHash }) =>
      run('restoreDeployment', specRef.hash, 0, () => {
        const write = { by: 'restore', epoch, expected: expectedHash, hash: releaseHash, what: releaseHash } as const;
        return compareAndSwap(logOf(specRef), write);
      }),
    readBack: ({ specRef, plan, intent }) =>
      run('readBack', specRef.hash, 0, () => {
        const runs = logOf(specRef).target().hash;
        const wanted = hashOf(plan.hash, intent);
        return { mismatches: runs === wanted ? [] : [`runs ${runs ?? 'nothing'}, wanted ${wanted}`] };
      }),
    readTargets: ({ specRef }) =>
      run('readTargets', specRef.hash, 0, () => {
        const { epoch, hash } = logOf(specRef).target();
        return [{ host: 'edge-1', epoch, hash, drifted: [], held: null }];
      }),
    exportTargets: ({ specRef, plan }) =>
      run('exportTargets', specRef.hash, 0, () => {
        const log = logOf(specRef);
        if (log.target().asked.at(-1) !== plan.hash) log.append({ kind: 'asked', plan: plan.hash });
        return { called: true };
      }),
    moveEntry: ({ specRef, phase }) =>
      run('moveEntry', specRef.hash, 0, () => {
        const log = logOf(specRef);
        if (log.target().entry !== phase) log.append({ kind: 'entry', to: phase });
        return { called: true };
      }),
    awaitStack: ({ specRef }) =>
      run('awaitStack', specRef.hash, BEATS, () => {
        const now = new Date().toISOString();
        return { firstInstanceReadyAt: now, allReadyAt: now, readyInstances: READY, planned: READY };
      }),
    judgeStage: ({ specRef, localPercent }) =>
      run('judgeStage', specRef.hash, BEATS, () => {
        const failed = isAborted(specRef.hash) && localPercent === 100;
        if (failed) return { verdict: 'failed', reason: FAILED_STAGE, services: [] } as const;
        return { verdict: 'successful', reason: `well at ${localPercent} %`, services: [] } as const;
      }),
    tick: (input) => run('tick', input.specRef.hash, 2, () => tickOf(input)),
    recordAudit: (input) =>
      run('recordAudit', input.region, 0, () => {
        return recordAudit({ audit } as unknown as Ports)(input, {} as ActivityRun);
      }),
    readCalendar: async () => Promise.resolve({ freezes: [], untilMs: Number.MAX_SAFE_INTEGER }),
    checkReceivers: async () => Promise.resolve({ shortfalls: [] }),
    notify: async () => Promise.resolve({ delivered: [], problems: [] }),
  };
}

const READY = { shop: 2 };

function refOf(hash: string): ArtifactRef {
  return { kind: 'text', hash, bytes: 1 };
}

function accept(text: unknown): AcceptedRegion {
  if (typeof text !== 'string') throw ApplicationFailure.nonRetryable('no text', 'invalid-region');
  return {
    name: text,
    specRef: refOf(text),
    autonomy: 'act',
    services: ['shop', 'cart'],
    regions: [text, 'neighbour'],
    hosts: ['edge-1'],
    settingRules: SETTING_FIELDS,
    activationSteps: [50, 100],
    maxInconclusive: 3,
    tunables: {
      ...{ tickMs: 400, judgeMs: 100, stackTimeoutMs: 600_000, deployTimeoutMs: 600_000, holdTimeoutMs: 300_000 },
      ...{ ticksPerReport: 5, maxOverrides: 8, maxKeys: 200, keyLifetimeMs: 86_400_000 },
    },
    warnings: [],
  };
}

/** Of what should run, in words: two writes of the same have the same hash, whoever makes them and when. */
function wordsOf(plan: string, { stage, overrides, adjustments }: LiveIntent): string {
  const set = overrides.map(({ address, value }) => `${address}=${value}`);
  const moved = adjustments.map(({ address, to }) => `${address}~${to}`);
  const words = [plan, `${stage.localPercent}%`, stage.enforceLimits ? 'enforced' : 'counted', ...set, ...moved];
  return words.join(' ');
}

function hashOf(plan: string, intent: LiveIntent): string {
  return createHash('sha256').update(wordsOf(plan, intent)).digest('hex').slice(0, 16);
}

function swap(log: EffectLog, by: 'deploy' | 'apply', { plan, intent, epoch, expectedHash }: ApplyInput): ApplyOutcome {
  const [hash, what] = [hashOf(plan.hash, intent), wordsOf(plan.hash, intent)];
  return compareAndSwap(log, { by, epoch, expected: expectedHash, hash, what });
}

/** Reading and appending are one step: nothing else of this process runs between, and no other process is alive. */
function compareAndSwap(log: EffectLog, write: Omit<Extract<Effect, { kind: 'write' }>, 'kind'>): ApplyOutcome {
  const { epoch, hash } = log.target();
  if (write.epoch < epoch) throw ApplicationFailure.nonRetryable(`stale epoch ${write.epoch}, seen ${epoch}`, 'drift');
  const outcome = (name: 'applied' | 'already'): ApplyOutcome => {
    return { releaseHash: write.hash, hosts: [{ host: 'edge-1', outcome: name }] };
  };
  if (hash === write.hash) {
    if (write.epoch > epoch) log.append({ kind: 'seen', epoch: write.epoch });
    return outcome('already');
  }
  if (hash !== write.expected) {
    throw ApplicationFailure.nonRetryable(
      `runs ${hash ?? 'nothing'}, expected ${write.expected ?? 'nothing'}`,
      'drift',
    );
  }
  log.append({ kind: 'write', ...write });
  return outcome('applied');
}

/** A run that is there already is joined: its outcome was kept under its id. */
function deploy(folder: string, log: EffectLog, input: DeployInput): DeployOutcome {
  const file = path.join(folder, 'runs', input.specRef.hash, `${input.deploymentId.replaceAll('/', '_')}.json`);
  if (existsSync(file)) return { ...(JSON.parse(readFileSync(file, 'utf8')) as DeployOutcome), reattached: true };
  const { releaseHash, hosts } = swap(log, 'deploy', input);
  const changed = hosts.some(({ outcome }) => outcome === 'applied') && !input.deploymentId.endsWith('verify') ? 3 : 0;
  const at = new Date().toISOString();
  const recap = { 'edge-1': { ok: 9, changed, failures: 0, unreachable: 0, skipped: 0 } };
  const { deploymentId } = input;
  const done: DeployOutcome = { deploymentId, releaseHash, reattached: false, recap, startedAt: at, finishedAt: at };
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(done));
  return done;
}

/** One adjustment, kept by the tick after; made anew where a new plan dropped it. */
function tickOf({ plan, intent, inFlight, frozen }: TickInput): TickOutcome {
  const at = new Date().toISOString();
  const outcome = { at, completeness: 1, services: [], readyInstances: READY, verdict: null };
  if (inFlight !== null) return { ...outcome, decision: { kind: 'keep', reason: 'no worse' } };
  const made = intent.adjustments.some(({ address }) => address === TUNED.address);
  if (made || frozen) return { ...outcome, decision: { kind: 'none', reason: 'nothing to do' } };
  const adjustment = { ...TUNED, reason: 'slow', planHash: plan.hash, madeAt: at };
  return { ...outcome, decision: { kind: 'adjust', adjustment, service: 'shop', baseline: NOTHING_SEEN } };
}

const NOTHING_SEEN = {
  ...{ service: 'shop', windowSeconds: 1, requests: 0, rps: 0, errorRate: null },
  errors: { upstream5xx: 0, breaker: 0, rateLimited: 0, timeout: 0, connect: 0 },
  ...{ p50Ms: null, p50ErrorMs: null, p90Ms: null, p90ErrorMs: null, p99Ms: null, p99ErrorMs: null },
} as never;
