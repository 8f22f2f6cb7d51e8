import type { AcceptedFleet } from '../../activities/acceptFleet.js';
import { MAX_STATE_BYTES, bytesOf } from '../shared/bytes.js';
import type { AuditState, AuditStatus } from '../shared/audit.js';
import { auditStatusOf } from '../shared/audit.js';
import { readState } from '../shared/upcast.js';
import type { Freeze, RefusedMessage } from '../regionLifecycle/status.js';
import type { MessageOutcome } from '../regionLifecycle/messages.js';
import { grantable, whyWaiting } from './grant.js';
import type { FleetMessageName, PermitRequest } from './messages.js';
import type { FleetNames } from './parse.js';
import type { RegionProgress, RolloutState } from './rollout.js';
import { heldBy } from './rollout.js';

export const FLEET_SCHEMA = 1;

/** As many as a fleet file may name. */
export const MAX_REGIONS = 100;
/** People's messages within a day. */
export const MAX_KEYS = 200;
export const KEY_LIFETIME_MS = 86_400_000;
const KEPT_REFUSALS = 20;

export interface FleetState {
  schema: typeof FLEET_SCHEMA;
  accepted: AcceptedFleet;
  /** The fleet file's, in its order, then those that asked. */
  regions: Record<string, KnownRegion>;
  /** One a region at most, in the order in which they came. */
  waiting: WaitingRequest[];
  granted: Permit[];
  freeze: Freeze | null;
  rollout: RolloutState | null;
  refused: { total: number; last: RefusedMessage[] };
  keys: Record<string, FleetKey>;
  audit?: AuditState;
}

export type WaitingRequest = Omit<PermitRequest, 'workflowId'> & { sinceMs: number };
export type Permit = WaitingRequest & { expiresMs: number };

export interface KnownRegion {
  group?: string;
  /** What it said last, or what became of its last permit. */
  last?: {
    outcome: 'done' | 'failed' | 'blocked' | 'refused' | 'expired' | 'unreachable';
    detail: string;
    atMs: number;
  };
}

export interface FleetKey {
  atMs: number;
  name: FleetMessageName;
  outcome: MessageOutcome | null;
}

export function initialFleetState(accepted: AcceptedFleet): FleetState {
  const regions = accepted.regions.map(({ name, group }) => [name, group === undefined ? {} : { group }] as const);
  return {
    schema: FLEET_SCHEMA,
    accepted: { ...accepted, regions: [] },
    regions: Object.fromEntries(regions),
    waiting: [],
    granted: [],
    freeze: null,
    rollout: null,
    refused: { total: 0, last: [] },
    keys: {},
  };
}

/** @throws a non-retryable failure where the state is of a schema that this build does not read */
export function readFleetState(raw: unknown): FleetState {
  const format = { workflow: 'fleetCoordinator', schema: FLEET_SCHEMA, upcasters: {} };
  return readState(raw, format) as unknown as FleetState;
}

/** Where it would grow too large, words go that the audit has too; never requests, permits, keys or the rollout. */
export function handOnFleet(state: FleetState): FleetState {
  if (bytesOf(state) <= MAX_STATE_BYTES) return state;
  const keys = Object.entries(state.keys).map(([key, record]) => {
    const { outcome } = record;
    return [key, { ...record, outcome: outcome && { ...outcome, detail: outcome.detail.slice(0, 40) } }];
  });
  const refused = { ...state.refused, last: state.refused.last.slice(-3) };
  return { ...state, refused, keys: Object.fromEntries(keys) as FleetState['keys'] };
}

export function namesOf({ regions }: FleetState): FleetNames {
  const groups = Object.values(regions).flatMap(({ group }) => (group === undefined ? [] : [group]));
  return { regions: Object.keys(regions), groups: [...new Set(groups)] };
}

export function noteRefused(state: FleetState, name: string, reason: string, at: string): void {
  state.refused.total += 1;
  state.refused.last.push({ name: name.slice(0, 128), reason: reason.slice(0, 300), at });
  if (state.refused.last.length > KEPT_REFUSALS) state.refused.last.shift();
}

/** What may be granted now; nothing in a freeze. */
export function grantsOf({ accepted, freeze, granted, rollout, waiting }: FleetState): WaitingRequest[] {
  if (freeze !== null) return [];
  const held = heldBy(rollout);
  return grantable(
    waiting.filter(({ region }) => !held.has(region)),
    granted,
    accepted,
  );
}

/** What query `status` answers. */
export interface FleetStatus {
  fleet: string;
  phase: 'accepting' | 'operating';
  maxConcurrentChanges: number;
  freeze: Freeze | null;
  granted: readonly { region: string; what: PermitRequest['what']; planHash: string | null; until: string }[];
  waiting: readonly { region: string; what: PermitRequest['what']; since: string; why: string }[];
  /** The last one; `null`: there was none. */
  rollout:
    (Omit<RolloutState, 'judgeUntilMs' | 'attempt' | 'regions'> & { regions: Record<string, RegionProgress> }) | null;
  regions: readonly ({ name: string } & KnownRegion)[];
  refused: FleetState['refused'];
  audit?: AuditStatus;
}

export function fleetStatusOf(state: FleetState): FleetStatus {
  const { accepted, audit, freeze, granted, refused, rollout, waiting } = state;
  return {
    fleet: accepted.name,
    phase: 'operating',
    maxConcurrentChanges: accepted.maxConcurrentChanges,
    freeze,
    granted: granted.map(({ region, what, planHash, expiresMs }) => ({
      region,
      what,
      planHash,
      until: iso(expiresMs),
    })),
    waiting: waiting.map(({ region, what, sinceMs }, place) => {
      return { region, what, since: iso(sinceMs), why: whyOf(state, place) };
    }),
    rollout: rollout && {
      ...{ key: rollout.key, who: rollout.who, why: rollout.why, state: rollout.state, detail: rollout.detail },
      ...{ stages: rollout.stages, stage: rollout.stage, regions: rollout.regions },
    },
    regions: Object.entries(state.regions).map(([name, known]) => ({ name, ...known })),
    refused,
    ...(audit === undefined ? {} : { audit: auditStatusOf(audit) }),
  };
}

function whyOf({ accepted, freeze, granted, rollout, waiting }: FleetState, place: number): string {
  const request = waiting[place];
  if (request === undefined) return '';
  if (freeze !== null) return `frozen by ${freeze.who}: ${freeze.why}`;
  const held = heldBy(rollout);
  if (held.has(request.region)) return 'the rollout is stopped: resume-rollout or abort-rollout';
  const ahead = waiting.slice(0, place).filter(({ region }) => !held.has(region));
  return whyWaiting(request, ahead, granted, accepted);
}

/** One line for the memo, and the head of the details. */
export function fleetLine({ accepted, freeze, granted, rollout, waiting }: FleetState): string {
  const out = granted.map(({ region }) => region).join(', ');
  return [
    `${granted.length} of ${accepted.maxConcurrentChanges} permits out${out === '' ? '' : ` (${out})`}`,
    `${waiting.length} wait`,
    ...(freeze === null ? [] : [`frozen by ${freeze.who}: ${freeze.why}`]),
    ...(rollout === null ? [] : [`rollout ${rollout.key} ${rollout.state}: ${rollout.detail}`]),
  ]
    .join(' · ')
    .slice(0, 1000);
}

export function fleetMarkdown(state: FleetState): string {
  const { granted, rollout, waiting } = fleetStatusOf(state);
  const lines = [`**${fleetLine(state)}**`, ''];
  for (const { region, what, until } of granted) lines.push(`- ${region} changes (${what}), until ${until} at most`);
  for (const { region, what, why } of waiting) lines.push(`- ${region} waits (${what}): ${why}`);
  for (const [index, stage] of (rollout?.stages ?? []).entries()) {
    const told = stage.map((region) => `${region} ${rollout?.regions[region]?.state ?? ''}`);
    lines.push(`- stage ${index + 1}: ${told.join(', ')}`);
  }
  if (rollout?.state === 'stopped') lines.push('', 'Waits for `resume-rollout` or `abort-rollout`.');
  return lines.join('\n');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
