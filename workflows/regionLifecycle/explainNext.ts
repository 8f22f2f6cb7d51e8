import { nextWindow } from '../shared/windows.js';
import type { NextChange, NextKind } from './explain.js';
import { heldByPeople } from './autonomy.js';
import type { LifecycleState } from './state.js';
import { activationStages } from './state.js';

/** What the program will do by itself, the next first; those without a time last. */
export function nextChanges(state: LifecycleState, atMs: number): NextChange[] {
  const all = [
    ...stage(state),
    ...window(state, atMs),
    ...replan(state),
    ...expiries(state),
    ...approval(state),
    ...permit(state),
    ...calendar(state, atMs),
    ...tick(state),
  ];
  return all
    .sort((a, b) => (a.atMs ?? Infinity) - (b.atMs ?? Infinity) || 0)
    .map(({ atMs: ms, ...change }) => ({
      ...change,
      at: ms === null ? null : new Date(ms).toISOString(),
    }));
}

interface Timed extends Omit<NextChange, 'at'> {
  atMs: number | null;
}

function timed(kind: NextKind, atMs: number | null, what: string, heldBy: string | null): Timed {
  return { kind, atMs, what, heldBy };
}

function stage(state: LifecycleState): Timed[] {
  if (state.step !== 'activate') return [];
  const next = activationStages(state.accepted.activationSteps)[state.stageIndex];
  if (next === undefined) return [];
  const enforced = next.enforceLimits ? ', limits enforced' : '';
  return [timed('stage', null, `activation at ${next.localPercent} %${enforced}, then judged`, blockOf(state))];
}

function window(state: LifecycleState, atMs: number): Timed[] {
  const next = nextWindow(state.plan?.windows, atMs);
  if (next === undefined) return [];
  return [timed('window', next.wallFromMs, `window of the plan from ${next.from} comes into force`, standstill(state))];
}

function replan(state: LifecycleState): Timed[] {
  const { replan: planned } = state;
  if (state.step !== 'operate') return [];
  const wantedBy = planned?.wantedBy ?? null;
  const held = frozenOf(state) ?? blockOf(state);
  if (wantedBy !== null) return [timed('replan', null, `a new forecast and plan, wanted by ${wantedBy}`, held)];
  const { replanMs } = state.accepted.tunables;
  if (replanMs === undefined || planned === undefined) return [];
  const due = planned.startedMs + replanMs;
  return [timed('replan', due, 'a new forecast and plan, by the schedule', held ?? heldByPeople(state))];
}

function expiries(state: LifecycleState): Timed[] {
  return state.overrides.flatMap(({ address, value, who, until }) => {
    if (until === undefined) return [];
    const what = `the override ${address} = ${value} by ${who} ends`;
    return [timed('override-expires', Date.parse(until), what, frozenOf(state))];
  });
}

function approval({ approval: asked }: LifecycleState): Timed[] {
  if (asked?.state !== 'wanted' || asked.expiresMs === null) return [];
  const what = `plan ${asked.planHash.slice(0, 12)} counts as refused when nobody has said a word on it`;
  return [timed('approval-expires', asked.expiresMs, what, null)];
}

function permit({ permit: asked }: LifecycleState): Timed[] {
  if (asked?.state !== 'granted' || asked.expiresMs === null) return [];
  return [timed('permit-expires', asked.expiresMs, `the fleet's permit to ${asked.what} ends`, null)];
}

function calendar({ calendar: known }: LifecycleState, atMs: number): Timed[] {
  const next = known?.freezes.find(({ toMs }) => toMs > atMs);
  if (next === undefined || next.fromMs === known?.endedFromMs) return [];
  const { fromMs, toMs, why } = next;
  if (fromMs > atMs) return [timed('calendar', fromMs, `a freeze of the calendar begins: ${why}`, null)];
  return [timed('calendar', toMs, `the freeze of the calendar ends: ${why}`, null)];
}

function tick(state: LifecycleState): Timed[] {
  const { tuner } = state;
  if (tuner.state !== 'running') return [];
  const { tickMs } = state.accepted.tunables;
  const last = tuner.report === null ? null : Date.parse(tuner.report.lastTick);
  const at = last === null || Number.isNaN(last) ? null : last + tickMs;
  const what = `the tuner looks at the proxies every ${tickMs / 1000} s and may change one setting`;
  return [timed('tick', at, what, frozenOf(state) ?? tunerHeld(state))];
}

/** Why no window comes into force by itself. */
function standstill(state: LifecycleState): string | null {
  const stopped = state.tuner.state === 'tuner-stopped' ? 'the adjustment is stopped: resume starts it' : null;
  const held = frozenOf(state) ?? blockOf(state) ?? stopped;
  return held ?? (state.step === 'operate' ? heldByPeople(state) : null);
}

function frozenOf({ freeze, rolledBack }: LifecycleState): string | null {
  if (rolledBack !== null) return `deployment ${rolledBack.to} runs until resume`;
  return freeze === null ? null : `frozen by ${freeze.who} until resume`;
}

function blockOf({ blocked }: LifecycleState): string | null {
  return blocked === null ? null : `blocked (${blocked.reason})`;
}

/** A rule may let it act on some settings of a region that does not act as a whole. */
function tunerHeld(state: LifecycleState): string | null {
  const rules = [...(state.accepted.autonomyRules ?? []), ...(state.autonomyRules ?? [])];
  const actsSomewhere = state.takenOver === undefined && rules.some(({ level }) => level === 'act');
  return actsSomewhere ? null : heldByPeople(state);
}
