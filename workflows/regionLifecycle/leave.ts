import type { MessageBase, MessageOutcome } from './messages.js';
import type { Region } from './region.js';

export async function drain(_region: Region, _message: MessageBase): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}

export async function release(_region: Region, _message: MessageBase): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}

export async function retire(_region: Region, _message: MessageBase): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}
