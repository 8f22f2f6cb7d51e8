import { log } from '@temporalio/workflow';
import { MAX_STATE_BYTES, bytesOf } from '../shared/bytes.js';
import { keyId } from '../shared/keyId.js';
import type { StateFormat } from '../shared/upcast.js';
import { readState } from '../shared/upcast.js';
import type { PackedKeys } from './keys.js';
import { packKeys, unpackKeys } from './keys.js';
import type { KeyRecord, LifecycleState } from './state.js';
import { STATE_SCHEMA } from './state.js';

/** A region's state as continue-as-new hands it on: the same, with its keys packed. */
export type HandedOn = Omit<LifecycleState, 'keys'> & { keys: PackedKeys };

/** Schema 1 had each key's record written out, under the whole key. */
const FORMAT: StateFormat = {
  workflow: 'regionLifecycle',
  schema: STATE_SCHEMA,
  upcasters: {
    1: (state) => {
      const records = Object.entries(state['keys'] as Record<string, KeyRecord>);
      return { ...state, keys: packKeys(Object.fromEntries(records.map(([key, record]) => [keyId(key), record]))) };
    },
  },
};

/** @throws a non-retryable failure where the state is of a schema that this build does not read */
export function readRegionState(raw: unknown): LifecycleState {
  const { keys, ...rest } = readState(raw, FORMAT) as unknown as HandedOn;
  return { ...rest, keys: unpackKeys(keys) };
}

/** Drops the oldest records where it would grow too large; never overrides, keys, or what steers the region. */
export function handOn(state: LifecycleState): HandedOn {
  const { handed, dropped, bytes } = fit({ ...state, keys: packKeys(state.keys) }, MAX_STATE_BYTES);
  if (dropped.length > 0) log.warn('the state was too large to hand on whole', { dropped, bytes });
  return handed;
}

/** `bytes` may still be above `maxBytes`: nothing is left then that may go. */
export function fit(state: HandedOn, maxBytes: number): { handed: HandedOn; dropped: string[]; bytes: number } {
  const dropped: string[] = [];
  let handed = state;
  let bytes = bytesOf(handed);
  for (const { what, without } of RELIEFS) {
    if (bytes <= maxBytes) break;
    handed = without(handed, bytes - maxBytes);
    bytes = bytesOf(handed);
    dropped.push(what);
  }
  return { handed, dropped, bytes };
}

interface Relief {
  what: string;
  without(state: HandedOn, excessBytes: number): HandedOn;
}

/** In this order: what is told elsewhere too goes first. */
const RELIEFS: readonly Relief[] = [
  { what: 'words in which old messages were answered', without: withoutOldDetails },
  {
    what: 'older refused messages',
    without: (state) => ({
      ...state,
      refused: {
        ...state.refused,
        last: state.refused.last.slice(-5).map((message) => ({ ...message, reason: message.reason.slice(0, 200) })),
      },
    }),
  },
  { what: 'older activation stages', without: (state) => ({ ...state, activation: state.activation.slice(-8) }) },
  { what: 'deployments between the first and the last ten', without: withoutMiddleDeployments },
  {
    what: 'warnings and notes beyond ten',
    without: (state) => ({
      ...state,
      accepted: { ...state.accepted, warnings: state.accepted.warnings.slice(0, 10) },
      forecast: state.forecast && { ...state.forecast, notes: state.forecast.notes.slice(0, 10) },
      plan: state.plan && { ...state.plan, warnings: state.plan.warnings.slice(0, 10) },
    }),
  },
  { what: 'what is not in the audit yet', without: withoutUnrecorded },
  {
    what: 'the services of forecast and plan',
    without: (state) => ({
      ...state,
      forecast: state.forecast && { ...state.forecast, services: [] },
      plan: state.plan && { ...state.plan, services: [] },
    }),
  },
  { what: 'the services of the plan that waits for approval', without: withoutWaitingServices },
];

/** What is waited for, and the references that steer it, stay. */
function withoutWaitingServices(state: HandedOn): HandedOn {
  const { approval } = state;
  if (approval === undefined) return state;
  const { made } = approval;
  const bare = made && {
    forecast: { ...made.forecast, services: [], notes: [] },
    plan: { ...made.plan, services: [], warnings: [] },
  };
  return { ...state, approval: { ...approval, services: [], ...(bare === undefined ? {} : { made: bare }) } };
}

function withoutOldDetails(state: HandedOn, excessBytes: number): HandedOn {
  let excess = excessBytes;
  const kept = Object.entries(state.keys.details).filter(([key, detail]) => {
    if (excess <= 0) return true;
    excess -= bytesOf(key) + bytesOf(detail) + 2;
    return false;
  });
  return { ...state, keys: { ...state.keys, details: Object.fromEntries(kept) } };
}

/** A rollback goes to the first of all, or to one that ran lately. */
function withoutMiddleDeployments(state: HandedOn): HandedOn {
  const { deployments } = state;
  const last = deployments.slice(-10);
  const baseline = deployments.filter((deployment) => deployment.kind === 'baseline' && !last.includes(deployment));
  return { ...state, deployments: [...baseline, ...last] };
}

/** The newest go, and are counted: the gap is told after those that stay, as where the audit was away for long. */
function withoutUnrecorded(state: HandedOn, excessBytes: number): HandedOn {
  const { audit } = state;
  if (audit === undefined || audit.pending.length === 0) return state;
  let excess = excessBytes;
  const pending = [...audit.pending];
  let { lost } = audit;
  while (excess > 0 && pending.length > 0) {
    const entry = pending.pop();
    if (entry === undefined) break;
    excess -= bytesOf(entry) + 1;
    lost = { count: (lost?.count ?? 0) + 1, since: entry.at, until: lost?.until ?? entry.at };
  }
  return { ...state, audit: { ...audit, pending, lost } };
}
