import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import {
  condition,
  defineSignal,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
} from '@temporalio/workflow';
import { bytesOf } from '../shared/bytes.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { keyId } from '../shared/keyId.js';
import type { AuditTrail } from '../shared/audit.js';
import { isUndecodable } from '../shared/payloadConverter.js';
import type { AuditValue } from '../../core/audit/record.js';
import type { Parsed } from '../shared/parse.js';
import { parseMessage } from '../shared/parse.js';
import { startsStrictly } from '../shared/versions.js';
import { messageFact, refusalFact, standingOf } from './audit.js';
import { CALENDAR } from './calendar.js';
import type { MessageBase, MessageInputs, MessageName, MessageOutcome } from './messages.js';
import { MESSAGE_NAMES, UPDATES } from './messages.js';
import { freezeWaiting } from './together.js';
import type { KeyRecord, LifecycleState } from './state.js';
import { keepLast } from './state.js';

/** A message that passed its checks and waits to be carried out, in order. */
export type Command = { [N in MessageName]: { name: N; message: MessageInputs[N] } }[MessageName];

/**
 * Receives what people send. It upholds:
 * 1. a signal handler never throws: what is refused is recorded with its reason, whatever its name or payload;
 * 2. a message is carried out once: its key is taken before it is queued, and its outcome is kept for 24 hours;
 * 3. keys are never evicted early: when the table is full the message is refused;
 * 4. a freeze is in force the moment it arrives, before anything queued ahead of it;
 * 5. what comes before the region has begun waits, and is taken in as it came: the signals that a run starts with in
 *    their order, then its updates in theirs, then the rest.
 */
export class Mailbox {
  readonly queue: Command[] = [];
  private state: LifecycleState | null = null;
  private audit: AuditTrail | null = null;
  private readonly early: EarlyMessage[] = [];
  /** Keys of what updates wait for. */
  private readonly awaited = new Set<string>();
  private readonly reports = new Map<string, (raw: unknown) => void>();
  /** Whether this run knows the logic version of that name. */
  readonly strict = startsStrictly();

  constructor() {
    if (this.strict) this.registerRest();
    for (const name of MESSAGE_NAMES) this.register(name);
    if (!this.strict) this.registerRest();
  }

  /** What workflows tell the region; people do not send these. */
  listen<T>(signal: SignalDefinition<[T]>, handler: (report: T) => void): void {
    setHandler(signal, handler);
    this.reports.set(signal.name, handler as (raw: unknown) => void);
  }

  /** Messages that came before the region file was accepted are taken in now. */
  open(state: LifecycleState, audit: AuditTrail): void {
    this.state = state;
    this.audit = audit;
    this.queue.push(...(state.queued ?? []));
    delete state.queued;
    for (const { name, raw, taken } of this.early.splice(0)) {
      const known = nameOf(name);
      const report = this.strict ? this.reports.get(name) : undefined;
      if (known !== undefined) {
        const received = this.receive(known, raw);
        taken?.(received);
      } else if (report !== undefined) report(raw);
      else this.refuseUnknown(name, raw);
    }
  }

  /**
   * `before`, `after`: what the message changes, as it stood and stands; `after` absent: as it stands now. A freeze was
   * noted when it arrived, which is when it came into force.
   */
  finish(command: Command, before: AuditValue, outcome: MessageOutcome, after?: AuditValue): void {
    const record = this.recordOf(command.message.key);
    if (record !== undefined) record.outcome = outcome;
    this.awaited.delete(command.message.key);
    if (this.state === null || command.name === 'freeze') return;
    if (command.name === 'resume' && this.strict) this.freezeAgain(this.state);
    this.audit?.note(messageFact(command, before, after ?? standingOf(this.state, command), outcome));
  }

  /** Signals may wait for the next run, or a storm would keep this one for ever; whoever asks by update waits here. */
  mayHandOn(): boolean {
    if (this.queue.length === 0 || !this.strict) return this.queue.length === 0;
    const asked = this.queue.some(({ message }) => this.awaited.has(message.key));
    return !asked && bytesOf(this.queue) <= MAX_QUEUED_BYTES;
  }

  handOn(state: LifecycleState): void {
    if (this.queue.length > 0) state.queued = this.queue.splice(0);
  }

  private register(name: MessageName): void {
    setHandler(defineSignal<[unknown]>(name), (raw) => {
      if (this.state === null) this.early.push({ name, raw });
      else this.receive(name, raw);
    });
    setHandler(
      // Typed for those who send it; what arrives may be anything.
      UPDATES[name] as UpdateDefinition<MessageOutcome, [unknown]>,
      (raw) => this.answer(name, raw),
      {
        validator: (raw) => {
          if (this.state === null) return;
          const parsed = this.check(name, raw, this.state);
          if (!parsed.ok) throw ApplicationFailure.nonRetryable(parsed.reason, 'refused');
        },
      },
    );
  }

  /**
   * The handlers of every other name. Where they are set first they are given whatever a run starts with, in its order;
   * where they are set last, messages of the names before them were handed over name by name.
   */
  private registerRest(): void {
    setDefaultSignalHandler((name, ...args) => this.refuseUnknown(name, args[0]));
    setDefaultUpdateHandler((name, ...args) => {
      const known = this.strict ? nameOf(name) : undefined;
      if (known !== undefined) return this.answer(known, args[0]);
      throw ApplicationFailure.nonRetryable(`unknown update "${name}" (one of ${MESSAGE_NAMES.join(', ')})`, 'refused');
    });
  }

  private async answer(name: MessageName, raw: unknown): Promise<MessageOutcome> {
    let received: Parsed<MessageBase>;
    if (this.strict && this.state === null) {
      received = await new Promise((taken) => this.early.push({ name, raw, taken }));
    } else {
      await condition(() => this.state !== null);
      received = this.receive(name, raw);
    }
    if (!received.ok) return { accepted: false, detail: received.reason };
    const { key } = received.message;
    if (this.recordOf(key)?.outcome === null) this.awaited.add(key);
    await condition(() => (this.recordOf(key)?.outcome ?? null) !== null);
    return this.recordOf(key)?.outcome ?? { accepted: false, detail: 'outcome lost' };
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
    if (this.recordOf(key) !== undefined) return parsed;
    forgetOldKeys(state);
    state.keys[keyId(key)] = { atMs: nowMs(), name, outcome: null };
    const command = { name, message: parsed.message } as Command;
    if (name === 'freeze') this.freezeNow(state, command);
    this.queue.push(command);
    return parsed;
  }

  /** A resume ends the freezes that came before it; one that came while it waited stands. */
  private freezeAgain(state: LifecycleState): void {
    state.freeze ??= freezeWaiting(this.queue);
  }

  private freezeNow(state: LifecycleState, command: Command): void {
    const { who, why } = command.message;
    const before = standingOf(state, command);
    // The calendar's ends by itself; a person's lasts until resume.
    if (state.freeze === null || state.freeze.who === CALENDAR) state.freeze = { who, why, since: nowIso() };
    const outcome = { accepted: true, detail: 'no automatic change until resume' };
    this.audit?.note(messageFact(command, before, standingOf(state, command), outcome));
  }

  private check<N extends MessageName>(name: N, raw: unknown, state: LifecycleState): Parsed<MessageInputs[N]> {
    const parsed = parseMessage(name, raw, state.accepted);
    if (!parsed.ok) return parsed;
    const known = this.recordOf(parsed.message.key);
    if (known !== undefined) {
      return known.name === name
        ? parsed
        : { ok: false, reason: `key "${parsed.message.key}" was used for ${known.name}; every message needs its own` };
    }
    const full =
      limitReached(name, parsed.message, state) ?? (this.strict ? tooLarge(name, parsed.message, state) : null);
    return full === null ? parsed : { ok: false, reason: full };
  }

  private recordOf(key: string): KeyRecord | undefined {
    const { keys } = this.state ?? {};
    const id = keyId(key);
    return keys !== undefined && Object.hasOwn(keys, id) ? keys[id] : undefined;
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

interface EarlyMessage {
  name: string;
  raw: unknown;
  /** Of an update: whoever waits for what becomes of it. */
  taken?(received: Parsed<MessageBase>): void;
}

function nameOf(name: string): MessageName | undefined {
  return MESSAGE_NAMES.find((candidate) => candidate === name);
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

/** What a storm may hand on to the next run; with more waiting, this one carries out more first. */
const MAX_QUEUED_BYTES = 8 * 1024;

/** What the words of all overrides may take together of the state that is handed on. */
const MAX_OVERRIDES_BYTES = 30 * 1024;

function tooLarge(name: MessageName, message: MessageInputs[MessageName], state: LifecycleState): string | null {
  if (name !== 'override' || !('address' in message)) return null;
  const others = state.overrides.filter((o) => o.address !== message.address);
  return bytesOf([...others, message]) <= MAX_OVERRIDES_BYTES
    ? null
    : `all overrides together may take ${MAX_OVERRIDES_BYTES / 1024} KiB; say why in fewer words, or clear one first`;
}
