import type { AuditFact } from '../shared/audit.js';
import type { AuditKind, AuditValue } from '../../core/audit/record.js';
import type { Command } from './mailbox.js';
import type { AutonomyMessage, MessageName, MessageOutcome, RepairMessage } from './messages.js';
import type { LifecycleState } from './state.js';

const KIND_OF: Readonly<Record<MessageName, AuditKind>> = {
  override: 'overridden',
  'clear-override': 'override-cleared',
  freeze: 'frozen',
  resume: 'resumed',
  rollback: 'rolled-back',
  replan: 'replan-asked',
  retry: 'retried',
  skip: 'skipped',
  abort: 'aborted',
  approve: 'approved',
  reject: 'rejected',
  drain: 'drained',
  release: 'released',
  retire: 'retired',
  'set-autonomy': 'autonomy-set',
  'take-over': 'taken-over',
  'hand-back': 'handed-back',
  'continue-as-new': 'continued',
  repair: 'repaired',
};

/** What a message is about. */
function subjectOf(command: Command): string {
  switch (command.name) {
    case 'override':
    case 'clear-override':
      return command.message.address;
    case 'rollback':
      return `deployment ${command.message.to}`;
    case 'approve':
    case 'reject':
      return `plan ${command.message.planHash}`;
    case 'set-autonomy':
      return scopeOf(command.message);
    case 'repair':
      return command.message.field;
    case 'drain':
    case 'release':
    case 'retire':
    case 'take-over':
    case 'hand-back':
    case 'continue-as-new':
    case 'freeze':
    case 'resume':
    case 'retry':
    case 'skip':
    case 'abort':
    case 'replan':
      return command.name;
  }
}

/** What a message is about to change, as it is: read before it is carried out, and after. */
export function standingOf(state: LifecycleState, command: Command): AuditValue {
  switch (command.name) {
    case 'override':
    case 'clear-override': {
      const standing = state.overrides.find(({ address }) => address === command.message.address);
      if (standing === undefined) return null;
      const { value, until } = standing;
      return until === undefined ? value : { value, until };
    }
    case 'rollback':
      return state.currentHash;
    case 'freeze':
    case 'resume':
      return state.freeze === null ? null : `frozen by ${state.freeze.who} since ${state.freeze.since}`;
    case 'retry':
    case 'skip':
    case 'abort':
      return state.blocked === null ? null : `blocked at ${state.blocked.step}: ${state.blocked.reason}`;
    case 'approve':
    case 'reject':
      return state.approval === undefined ? null : state.approval.state;
    case 'drain':
    case 'release':
    case 'retire':
      return { phase: state.phase, release: state.currentHash };
    case 'set-autonomy':
    case 'take-over':
    case 'hand-back':
      return autonomyFact(state);
    case 'repair':
      return repairFact(state, command.message.field);
    case 'replan':
    case 'continue-as-new':
      return null;
  }
}

/** What came of a message that was carried out. One that came to nothing is a refusal, whatever it asked for. */
export function messageFact(
  command: Command,
  before: AuditValue,
  after: AuditValue,
  outcome: MessageOutcome,
): AuditFact {
  const { who, why } = command.message;
  const subject = subjectOf(command);
  if (!outcome.accepted) {
    const about = subject === command.name ? subject : `${command.name} of ${subject}`;
    return { kind: 'refused', who, why, subject: about, result: outcome.detail };
  }
  return { kind: KIND_OF[command.name], who, why, subject, from: before, to: after, result: outcome.detail };
}

/** A message that was not let in; whatever it says of itself is taken as it stands. */
export function refusalFact(name: string, raw: unknown, reason: string): AuditFact {
  const fields = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
  const text = (field: string): string => {
    const value = fields[field];
    return typeof value === 'string' ? value : 'not said';
  };
  return { kind: 'refused', who: text('who'), why: text('why'), subject: name, result: reason };
}

function scopeOf({ service, class: settingClass }: AutonomyMessage): string {
  return `autonomy of ${service ?? 'every service'}, ${settingClass ?? 'every class'}`;
}

function autonomyFact({ accepted, autonomyRules, takenOver }: LifecycleState): AuditValue {
  const rules = (autonomyRules ?? []).map(({ level, service = null, class: settingClass = null }) => ({
    level,
    service,
    class: settingClass,
  }));
  return { level: accepted.autonomy, rules, takenOver: takenOver?.who ?? null };
}

function repairFact(state: LifecycleState, field: RepairMessage['field']): AuditValue {
  switch (field) {
    case 'current-hash':
      return state.currentHash;
    case 'epoch':
      return state.epoch;
    case 'blocked':
      return state.blocked?.reason ?? null;
    case 'tuner':
      return state.tuner.state;
  }
}
