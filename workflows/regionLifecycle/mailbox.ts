import type { UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import {
  condition,
  defineSignal,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
} from '@temporalio/workflow';
import { nowIso, nowMs } from '../shared/clock.js';
import type { AuditTrail } from '../shared/audit.js';
import { isUndecodable } from '../shared/payloadConverter.js';
import type { AuditValue } from '../../core/audit/record.js';
import type { Parsed } from '../shared/parse.js';
import { parseMessage } from '../shared/parse.js';
import { messageFact, refusalFact, standingOf } from './audit.js';
import type { MessageInputs, MessageName, MessageOutcome } from './messages.js';
import { MESSAGE_NAMES, UPDATES } from './messages.js';
import type { KeyRecord, LifecycleState } from './state.js';
import { keepLast } from './state.js';

/** A message that passed its checks and waits to be carried out, in order. */
export type Command = { [N in MessageName]: { name: N; message: MessageInputs[N] } }[MessageName];

/**
 * Receives what people send. It upholds:
 * 1. a signal handler never throws: what is refused is recorded with its reason, whatever its name or payload;
 * 2. a message is carried out once: its key is taken before it is queued, and its outcome is kept for 24 hours;
 * 3. keys are never evicted early: when the table is full the message is refused;
 * 4. a freeze is in force the moment it arrives, before anything queued ahead of it.
 */
export class Mailbox {
  readonly queue: Command[] = [];
  private state: LifecycleState | null = null;
  private audit: AuditTrail | null = null;
  private readonly early: { name: string; raw: unknown }[] = [];

  constructor() {
    for (const name of MESSAGE_NAMES) this.register(name);
    setDefaultSignalHandler((name, ...args) => this.refuseUnknown(name, args[0]));
    setDefaultUpdateHandler((name) => {
      throw ApplicationFailure.nonRetryable(`unknown update "${name}" (one of ${MESSAGE_NAMES.join(', ')})`, 'refused');
    });
  }

  /** Messages that came before the region file was accepted are taken in now. */
  open(state: LifecycleState, audit: AuditTrail): void {
    this.state = state;
    this.audit = audit;
    for (const { name, raw } of this.early.splice(0)) {
      const known = MESSAGE_NAMES.find((candidate) => candidate === name);
      if (known === undefined) this.refuseUnknown(name, raw);
      else this.receive(known, raw);
    }
  }

  /** `before`: what the message changes, as it stood. A freeze was noted when it arrived, which is when it came into force. */
  finish(command: Command, before: AuditValue, outcome: MessageOutcome): void {
    const record = this.state?.keys[command.message.key];
    if (record !== undefined) record.outcome = outcome;
    if (this.state === null || command.name === 'freeze') return;
    this.audit?.note(messageFact(command, before, standingOf(this.state, command), outcome));
  }

  private register(name: MessageName): void {
    setHandler(defineSignal<[unknown]>(name), (raw) => {
      if (this.state === null) this.early.push({ name, raw });
      else this.receive(name, raw);
    });
    setHandler(
      // Typed for those who send it; what arrives may be anything.
      UPDATES[name] as UpdateDefinition<MessageOutcome, [unknown]>,
      async (raw) => {
        await condition(() => this.state !== null);
        const received = this.receive(name, raw);
        if (!received.ok) return { accepted: false, detail: received.reason };
        const { key } = received.message;
        await condition(() => (this.state?.keys[key]?.outcome ?? null) !== null);
        return this.state?.keys[key]?.outcome ?? { accepted: false, detail: 'outcome lost' };
      },
      {
        validator: (raw) => {
          if (this.state === null) return;
          const parsed = this.check(name, raw, this.state);
          if (!parsed.ok) throw ApplicationFailure.nonRetryable(parsed.reason, 'refused');
        },
      },
    );
  }

  private receive<N extends MessageName>(name: N, raw: unknown): Parsed<MessageInputs[N]> {
    const state = this.state;
    if (state === null) return { ok: false, reason: 'the region file has not been accepted yet' };
    const parsed = this.check(name, raw, state);
    if (!parsed.ok) {
      this.refuse(name, raw, parsed.reason);
      return parsed;
    }
    const { key } = parsed.message;
    if (state.keys[key] !== undefined) return parsed;
    forgetOldKeys(state);
    state.keys[key] = { atMs: nowMs(), name, outcome: null };
    const command = { name, message: parsed.message } as Command;
    if (name === 'freeze') this.freezeNow(state, command);
    this.queue.push(command);
    return parsed;
  }

  private freezeNow(state: LifecycleState, command: Command): void {
    const { who, why } = command.message;
    const before = standingOf(state, command);
    state.freeze ??= { who, why, since: nowIso() };
    const outcome = { accepted: true, detail: 'no automatic change until resume' };
    this.audit?.note(messageFact(command, before, standingOf(state, command), outcome));
  }

  private check<N extends MessageName>(name: N, raw: unknown, state: LifecycleState): Parsed<MessageInputs[N]> {
    const parsed = parseMessage(name, raw, state.accepted);
    if (!parsed.ok) return parsed;
    const known = state.keys[parsed.message.key];
    if (known !== undefined) {
      return known.name === name
        ? parsed
        : { ok: false, reason: `key "${parsed.message.key}" was used for ${known.name}; every message needs its own` };
    }
    const full = limitReached(name, parsed.message, state);
    return full === null ? parsed : { ok: false, reason: full };
  }

  private refuseUnknown(name: string, raw: unknown): void {
    if (this.state === null) {
      this.early.push({ name, raw });
      return;
    }
    const payload = isUndecodable(raw) ? ' and its payload is not decodable' : '';
    this.refuse(name, raw, `unknown signal${payload} (one of ${MESSAGE_NAMES.join(', ')})`);
  }

  private refuse(name: string, raw: unknown, reason: string): void {
    const refused = this.state?.refused;
    if (refused === undefined) return;
    refused.total += 1;
    keepLast(refused.last, { name: name.slice(0, 128), reason: reason.slice(0, 1000), at: nowIso() });
    this.audit?.note(refusalFact(name, raw, reason));
  }
}

function isForgettable(record: KeyRecord, state: LifecycleState): boolean {
  return record.outcome !== null && record.atMs < nowMs() - state.accepted.tunables.keyLifetimeMs;
}

function forgetOldKeys(state: LifecycleState): void {
  for (const [key, record] of Object.entries(state.keys)) {
    if (isForgettable(record, state)) delete state.keys[key];
  }
}

/** Reads only: a validator's refusal leaves no history, so a change made here would be lost in a replay. */
function limitReached(name: MessageName, message: MessageInputs[MessageName], state: LifecycleState): string | null {
  const { maxKeys, keyLifetimeMs, maxOverrides } = state.accepted.tunables;
  const kept = Object.values(state.keys).filter((record) => !isForgettable(record, state)).length;
  if (kept >= maxKeys) return `${maxKeys} messages within ${keyLifetimeMs / 3_600_000} h is the limit; try later`;
  if (name !== 'override') return null;
  const replaces = 'address' in message && state.overrides.some((o) => o.address === message.address);
  return replaces || state.overrides.length < maxOverrides
    ? null
    : `${maxOverrides} overrides is the limit; clear one first`;
}
