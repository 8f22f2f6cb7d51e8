import { regionWorkflowId } from '../shared/names.js';
import type { Wait, WayOn } from './explain.js';
import type { MessageName } from './messages.js';
import { SKIPPABLE } from './skippable.js';
import type { LifecycleState } from './state.js';

/** Everything that keeps the region from going on by itself, what is most pressing first. */
export function waitsOf(state: LifecycleState): Wait[] {
  return [
    ...block(state),
    ...approval(state),
    ...proposals(state),
    ...permit(state),
    ...stack(state),
    ...freeze(state),
    ...takenOver(state),
    ...drained(state),
    ...stoppedTuner(state),
  ];
}

function block(state: LifecycleState): Wait[] {
  const { blocked } = state;
  if (blocked === null) return [];
  const ways = [
    way(state, 'retry', `tries ${blocked.step} again; nothing before it runs again`),
    ...(SKIPPABLE.includes(state.step) ? [way(state, 'skip', `goes on without ${state.step}`)] : []),
    way(state, 'abort', 'sends the users back to where they came from and ends; the mesh stays'),
  ];
  return [{ for: `a decision at the block ${blocked.reason} (${blocked.step})`, since: blocked.since, ways }];
}

function approval(state: LifecycleState): Wait[] {
  const { approval: asked } = state;
  if (asked?.state !== 'wanted') return [];
  const { planHash, blastPercent, askedAt, requestedBy } = asked;
  const of = `plan ${planHash.slice(0, 12)}, wanted by ${requestedBy ?? 'the schedule'}`;
  return [
    {
      for: `a person's word on ${of}, which changes ${blastPercent} % of the region's requests`,
      since: askedAt,
      ways: [
        way(state, 'approve', 'puts the plan in force', { planHash }),
        way(state, 'reject', 'keeps what runs', { planHash }),
      ],
    },
  ];
}

function proposals(state: LifecycleState): Wait[] {
  const waiting = (state.tuner.report?.proposals ?? []).filter((one) => one.state === 'waits');
  return waiting.map(({ id, address, from, to, reason, askedAt }) => ({
    for: `a person's word on an adjustment, ${address} from ${from} to ${to}: ${reason}`,
    since: askedAt,
    ways: [
      way(state, 'approve', 'lets the tuner make it', { planHash: id }),
      way(state, 'reject', 'keeps the value as it is', { planHash: id }),
    ],
  }));
}

function permit(state: LifecycleState): Wait[] {
  if (state.phase !== 'awaiting-permit') return [];
  const fleet = state.accepted.fleet?.id ?? 'the fleet';
  return [{ for: `the permit of ${fleet}, which lets only so many regions change at once`, since: null, ways: [] }];
}

function stack(state: LifecycleState): Wait[] {
  if (state.phase !== 'awaiting-stack') return [];
  const minutes = Math.round(state.accepted.tunables.stackTimeoutMs / 60_000);
  return [
    {
      for: `the planned instances, which others start; blocked when they are not ready within ${minutes} min`,
      since: state.preDeployment?.meshReadyAt ?? null,
      ways: [],
    },
  ];
}

function freeze(state: LifecycleState): Wait[] {
  const { freeze: frozen } = state;
  if (frozen === null) return [];
  const what = state.rolledBack === null ? '' : ` (deployment ${state.rolledBack.to} runs)`;
  return [
    {
      for: `the end of the freeze by ${frozen.who}${what}: ${frozen.why}`,
      since: frozen.since,
      ways: [way(state, 'resume', 'allows automatic changes again, and brings the plan back after a rollback')],
    },
  ];
}

function takenOver(state: LifecycleState): Wait[] {
  const { takenOver: by } = state;
  if (by === undefined) return [];
  return [
    {
      for: `${by.who}, who has taken the region over: ${by.why}`,
      since: by.since,
      ways: [way(state, 'hand-back', 'lets the program act again as far as its autonomy goes')],
    },
  ];
}

function drained(state: LifecycleState): Wait[] {
  if (state.drained === undefined || state.phase !== 'drained') return [];
  return [
    {
      for: 'a word on what becomes of the drained region',
      since: state.drained.since,
      ways: [
        way(state, 'resume', 'brings the users back'),
        way(state, 'release', 'lets go of the mesh as it is, and ends'),
        way(state, 'retire', 'puts back what was there before the first write, and ends'),
      ],
    },
  ];
}

function stoppedTuner(state: LifecycleState): Wait[] {
  if (state.tuner.state !== 'tuner-stopped') return [];
  const ways = [way(state, 'resume', 'starts the adjustment again from what runs')];
  return [{ for: 'the adjustment, which was stopped; the settings stay as they are', since: null, ways }];
}

function way(state: LifecycleState, message: MessageName, does: string, fields: object = {}): WayOn {
  const input = JSON.stringify({ key: 'NEW-KEY', who: 'YOU', why: 'REASON', ...fields });
  const id = regionWorkflowId(state.accepted.name);
  return {
    message,
    does,
    line: `temporal workflow update execute --workflow-id ${id} --name ${message} --input '${input}'`,
  };
}
