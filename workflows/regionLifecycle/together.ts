import { nowIso, nowMs } from '../shared/clock.js';
import type { Override } from '../../core/spec/live.js';
import { standingOf } from './audit.js';
import type { Command } from './mailbox.js';
import type { MessageOutcome } from './messages.js';
import type { Region } from './region.js';
import type { Freeze } from './status.js';

/** What one workflow task works through at most. */
const MOST = 100;

/** How many messages at the head of the queue are to be carried out together; 0: they are carried out one by one. */
export function countTogether({ state, mailbox }: Region): number {
  const copied =
    state.tuner.state === 'running' &&
    state.rolledBack === null &&
    state.blocked === null &&
    state.leaving === undefined;
  const next = mailbox.queue.slice(0, MOST).findIndex((command) => !changesCopyAlone(command));
  const count = next < 0 ? Math.min(MOST, mailbox.queue.length) : next;
  return mailbox.strict && copied && count > 1 ? count : 0;
}

/**
 * Carries out so many messages at the head of the queue, which change nothing but the copy of overrides and freeze, in
 * their order, and tells the adjustment once what they come to; where that is not taken whole, one by one after all.
 * One after another they took a quarter of a second and ten events each, so that a thousand of them filled a run's
 * history.
 */
export async function carryOutTogether(region: Region, count: number): Promise<void> {
  const { state, mailbox } = region;
  const batch = mailbox.queue.splice(0, count);
  const { overrides, freeze } = state;
  const changes = batch.map((command, i) => {
    const before = standingOf(state, command);
    const problem = change(region, command, [...batch.slice(i + 1), ...mailbox.queue]);
    return { command, before, after: standingOf(state, command), problem };
  });
  const applied = changes.some(({ problem }) => problem === null) ? await region.forwardCopy() : null;
  if (applied?.ok !== true && changes.some(({ problem }) => problem === null)) {
    state.overrides = overrides;
    state.freeze = freeze;
    mailbox.queue.unshift(...batch);
    for (let i = 0; i < batch.length; i += 1) await region.carryOutOne();
    return;
  }
  changes.forEach(({ command, before, after, problem }, i) => {
    const outcome = problem ?? outcomeOf(command, batch.slice(i + 1), applied?.detail ?? '');
    mailbox.finish(command, before, outcome, after);
  });
  region.show();
}

function changesCopyAlone({ name }: Command): boolean {
  return name === 'override' || name === 'clear-override' || name === 'freeze' || name === 'resume';
}

/** `null`: changed. Otherwise what its sender is answered. */
function change({ state }: Region, command: Command, later: readonly Command[]): MessageOutcome | null {
  if (command.name === 'override') {
    const override = overrideOf(command.message);
    if (typeof override === 'string') return { accepted: false, detail: override };
    state.overrides = [...state.overrides.filter(({ address }) => address !== override.address), override];
  } else if (command.name === 'clear-override') {
    const { address } = command.message;
    if (!state.overrides.some((o) => o.address === address)) {
      return { accepted: false, detail: `no override of ${address}` };
    }
    state.overrides = state.overrides.filter((o) => o.address !== address);
  } else if (command.name === 'resume') {
    if (state.freeze === null) return { accepted: false, detail: 'nothing is frozen, rolled back or stopped' };
    state.freeze = freezeWaiting(later);
  }
  return null;
}

/** A freeze came into force when it arrived: what was sent before it, and is carried out after, must not lift it. */
export function freezeWaiting(queue: readonly Command[]): Freeze | null {
  const waiting = queue.find(({ name }) => name === 'freeze');
  return waiting === undefined ? null : { who: waiting.message.who, why: waiting.message.why, since: nowIso() };
}

/** The override that a message asks for, or why there is none. */
export function overrideOf(message: Override & { until?: string | null }): Override | string {
  const { address, value, who, why, until } = message;
  if (until === undefined || until === null) return { address, value, who, why };
  return Date.parse(until) <= nowMs() ? `until ${until} has passed` : { address, value, who, why, until };
}

function outcomeOf(command: Command, later: readonly Command[], told: string): MessageOutcome {
  if (command.name === 'freeze') {
    return { accepted: true, detail: 'no automatic change until resume; the adjustment has confirmed' };
  }
  if (command.name === 'resume') {
    const again = freezeWaiting(later) !== null;
    return { accepted: true, detail: again ? 'frozen again meanwhile' : 'automatic changes are allowed again' };
  }
  if (command.name !== 'override' && command.name !== 'clear-override') return { accepted: true, detail: told };
  const { address } = command.message;
  const replaced = later.some((other) => 'address' in other.message && other.message.address === address);
  const what =
    command.name === 'override' ? `${address} = ${command.message.value}` : `${address} is the program's again`;
  return { accepted: true, detail: `${what}: ${replaced ? 'a later message went before it was written' : told}` };
}
