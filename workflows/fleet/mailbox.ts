import { ApplicationFailure } from '@temporalio/common';
import type { UpdateDefinition } from '@temporalio/common';
import { condition, setDefaultSignalHandler, setDefaultUpdateHandler, setHandler } from '@temporalio/workflow';
import type { MessageOutcome } from '../regionLifecycle/messages.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { keyId } from '../shared/keyId.js';
import type { Parsed } from '../shared/parse.js';
import type { FleetInputs, FleetMessageName } from './messages.js';
import { FLEET_MESSAGES, FLEET_UPDATES } from './messages.js';
import { parseFleetMessage } from './parse.js';
import type { FleetKey, FleetState } from './state.js';
import { KEY_LIFETIME_MS, MAX_KEYS, namesOf, noteRefused } from './state.js';

export type FleetCommand = { [N in FleetMessageName]: { name: N; message: FleetInputs[N] } }[FleetMessageName];

/** What the coordinator does with what regions tell it; `null`: taken in, otherwise why it was refused. */
export type Reports = Readonly<Record<string, (raw: unknown) => string | null>>;

/**
 * Receives what people and regions send. As of a region's: a handler never throws and what is refused is recorded; a
 * message is carried out once, by its key; keys are never forgotten early; a freeze is in force when it arrives; what
 * comes before the file is read waits, and is taken in in its order.
 */
export class FleetMailbox {
  readonly queue: FleetCommand[] = [];
  private state: FleetState | null = null;
  private reports: Reports = {};
  private readonly early: { name: string; raw: unknown }[] = [];

  constructor() {
    setDefaultSignalHandler((name, ...args) => this.signal(name, args[0]));
    for (const name of FLEET_MESSAGES) this.register(name);
    // Last: it is given whatever has no handler yet.
    setDefaultUpdateHandler((name) => {
      throw ApplicationFailure.nonRetryable(
        `unknown update "${name}" (one of ${FLEET_MESSAGES.join(', ')})`,
        'refused',
      );
    });
  }

  open(state: FleetState, reports: Reports): void {
    this.state = state;
    this.reports = reports;
    for (const { name, raw } of this.early.splice(0)) this.signal(name, raw);
  }

  finish(key: string, outcome: MessageOutcome): void {
    const record = this.recordOf(key);
    if (record !== undefined) record.outcome = outcome;
  }

  private register(name: FleetMessageName): void {
    setHandler(
      // Typed for those who send it; what arrives may be anything.
      FLEET_UPDATES[name] as UpdateDefinition<MessageOutcome, [unknown]>,
      async (raw) => {
        await condition(() => this.state !== null);
        const received = this.receive(name, raw);
        if (!received.ok) return { accepted: false, detail: received.reason };
        const { key } = received.message;
        await condition(() => (this.recordOf(key)?.outcome ?? null) !== null);
        return this.recordOf(key)?.outcome ?? { accepted: false, detail: 'outcome lost' };
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

  private signal(name: string, raw: unknown): void {
    if (this.state === null) {
      this.early.push({ name, raw });
      return;
    }
    const known = FLEET_MESSAGES.find((candidate) => candidate === name);
    if (known !== undefined) {
      this.receive(known, raw);
      return;
    }
    const report = Object.hasOwn(this.reports, name) ? this.reports[name] : undefined;
    const problem = report === undefined ? `unknown signal (one of ${FLEET_MESSAGES.join(', ')})` : report(raw);
    if (problem !== null) noteRefused(this.state, name, problem, nowIso());
  }

  private receive<N extends FleetMessageName>(name: N, raw: unknown): Parsed<FleetInputs[N]> {
    const { state } = this;
    if (state === null) return { ok: false, reason: 'the fleet file has not been accepted yet' };
    const parsed = this.check(name, raw, state);
    if (!parsed.ok) {
      noteRefused(state, name, parsed.reason, nowIso());
      return parsed;
    }
    const { key, who, why } = parsed.message;
    if (this.recordOf(key) !== undefined) return parsed;
    for (const [old, record] of Object.entries(state.keys)) if (isForgettable(record)) delete state.keys[old];
    state.keys[keyId(key)] = { atMs: nowMs(), name, outcome: null };
    if (name === 'freeze-all') state.freeze ??= { who, why, since: nowIso() };
    this.queue.push({ name, message: parsed.message } as FleetCommand);
    return parsed;
  }

  /** Reads only: a validator's refusal leaves no history. */
  private check<N extends FleetMessageName>(name: N, raw: unknown, state: FleetState): Parsed<FleetInputs[N]> {
    const parsed = parseFleetMessage(name, raw, namesOf(state));
    if (!parsed.ok) return parsed;
    const known = this.recordOf(parsed.message.key);
    if (known !== undefined && known.name !== name) {
      return {
        ok: false,
        reason: `key "${parsed.message.key}" was used for ${known.name}; every message needs its own`,
      };
    }
    const kept = Object.values(state.keys).filter((record) => !isForgettable(record)).length;
    if (known !== undefined || kept < MAX_KEYS) return parsed;
    return {
      ok: false,
      reason: `${MAX_KEYS} messages within ${KEY_LIFETIME_MS / 3_600_000} h is the limit; try later`,
    };
  }

  private recordOf(key: string): FleetKey | undefined {
    const { keys } = this.state ?? {};
    const id = keyId(key);
    return keys !== undefined && Object.hasOwn(keys, id) ? keys[id] : undefined;
  }
}

function isForgettable(record: FleetKey): boolean {
  return record.outcome !== null && record.atMs < nowMs() - KEY_LIFETIME_MS;
}
