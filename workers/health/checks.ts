import type { StoreHealth, StoreState } from '../../adapters/metrics/port.js';

export type CheckName = 'worker' | 'temporal' | 'metrics-store' | 'event-loop' | 'state-directory';

/** `degraded`: worse than it should be, and it mends itself; the worker is ready all the same. */
export const CHECK_STATES = ['ok', 'degraded', 'failed'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

export interface Check {
  name: CheckName;
  state: CheckState;
  /** One sentence for people. */
  detail: string;
}

/** What one look again and again has come to. */
export interface Looked {
  /** Time since the last success. */
  ageSeconds: number;
  /** Why the newest look failed; `null`: it did not. */
  error: string | null;
}

export function workerCheck(state: string): Check {
  const detail = state === 'RUNNING' ? 'polls for work' : `does not poll for work: ${state}`;
  return { name: 'worker', state: state === 'RUNNING' ? 'ok' : 'failed', detail };
}

/** One answer that is missing says little; silence for longer than `silentSeconds` says that Temporal is away. */
export function temporalCheck({ ageSeconds, error }: Looked, silentSeconds: number): Check {
  const ago = `Temporal last answered ${Math.round(ageSeconds)} s ago`;
  const why = error === null ? '' : `: ${error}`;
  if (ageSeconds > silentSeconds) return { name: 'temporal', state: 'failed', detail: `${ago}${why}` };
  if (error !== null) return { name: 'temporal', state: 'degraded', detail: `${ago}${why}` };
  return { name: 'temporal', state: 'ok', detail: ago };
}

/**
 * The region is served while the store is away, and its rows wait on disk: what comes back by itself is `degraded`.
 * What only a person can mend, or what loses rows, is `failed`, so that a roll-out with a wrong token stops at its
 * first worker. Nothing is restarted for it: `/healthz` does not look at the store.
 */
const STORE: Readonly<Record<StoreState, CheckState>> = {
  ok: 'ok',
  unreachable: 'degraded',
  overloaded: 'degraded',
  unauthorized: 'failed',
  'no-bucket': 'failed',
  rejected: 'failed',
  'queue-full': 'failed',
  closed: 'failed',
};

export function storeCheck(health: StoreHealth | null, { ageSeconds }: Looked, silentSeconds: number): Check {
  const name = 'metrics-store';
  if (health === null || ageSeconds > silentSeconds) {
    return { name, state: 'failed', detail: `the store has not said how it is for ${Math.round(ageSeconds)} s` };
  }
  const queued = health.queuedPoints === 0 ? '' : `; ${health.queuedPoints} values wait on disk`;
  return { name, state: STORE[health.state], detail: `${health.state}: ${health.detail}${queued}` };
}

export function eventLoopCheck(worstDelaySeconds: number, stallSeconds: number): Check {
  const stalled = worstDelaySeconds >= stallSeconds;
  const detail = `longest delay lately ${worstDelaySeconds.toFixed(3)} s`;
  return { name: 'event-loop', state: stalled ? 'failed' : 'ok', detail };
}

export function stateDirectoryCheck({ ageSeconds, error }: Looked, directory: string, silentSeconds: number): Check {
  const name = 'state-directory';
  if (error !== null) return { name, state: 'failed', detail: `${directory} cannot be written: ${error}` };
  if (ageSeconds > silentSeconds) {
    return { name, state: 'failed', detail: `${directory} was last written ${Math.round(ageSeconds)} s ago` };
  }
  return { name, state: 'ok', detail: `${directory} can be written` };
}

/** A restart helps a process that stalls or has ended, and nothing else: the rest is no reason for one. */
const LIVENESS: readonly CheckName[] = ['worker', 'event-loop'];

export interface HealthReport {
  state: CheckState;
  /** `/readyz` answers 200. */
  ready: boolean;
  /** `/healthz` answers 200. */
  live: boolean;
  checks: readonly Check[];
}

export function healthReport(checks: readonly Check[], workerState: string): HealthReport {
  const states = checks.map((check) => check.state);
  const failed = checks.filter((check) => check.state === 'failed').map((check) => check.name);
  // A worker that starts or drains is well, though it does not poll.
  const isOver = workerState === 'FAILED' || workerState === 'STOPPED';
  return {
    state: failed.length > 0 ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok',
    ready: failed.length === 0,
    live: !failed.some((name) => LIVENESS.includes(name) && (name !== 'worker' || isOver)),
    checks,
  };
}
