import type { AutonomyMessage, MessageBase, MessageOutcome } from './messages.js';
import type { AutonomyRule } from '../../core/spec/region.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

export async function setAutonomy(_region: Region, _message: AutonomyMessage): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}

export async function takeOver(_region: Region, _message: MessageBase): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}

export async function handBack(_region: Region, _message: MessageBase): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}

/** What the adjustment has to know of it: the region file's rules, then what people said; nothing where nobody did. */
export function autonomyOrder(_state: LifecycleState): { autonomyRules?: readonly AutonomyRule[]; takenOver?: true } {
  return {};
}
