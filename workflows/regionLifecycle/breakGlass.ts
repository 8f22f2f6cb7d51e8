import type { MessageOutcome, RepairMessage } from './messages.js';
import type { Region } from './region.js';

/** Marks the region for a new run; the loop that waits takes it there. */
export function askForNewRun(_region: Region): MessageOutcome {
  return { accepted: false, detail: 'not yet' };
}

export async function repair(_region: Region, _message: RepairMessage): Promise<MessageOutcome> {
  return Promise.resolve({ accepted: false, detail: 'not yet' });
}
