import type { Region } from './region.js';
import type { During } from './steps.js';

/** What the fleet was asked for and has granted. */
export interface PermitState {
  /** Numbers the requests of this region. */
  number: number;
  what: 'launch' | 'replan';
  state: 'asked' | 'granted' | 'returned';
  expiresMs: number | null;
}

/** Waits until the fleet permits the change; at once where the region belongs to none. Messages are carried out meanwhile. */
export async function awaitPermit(_region: Region, _what: PermitState['what'], _during: During): Promise<void> {
  return Promise.resolve();
}

/** Gives the permit back, with what came of the change. */
export async function returnPermit(_region: Region, _outcome: 'done' | 'failed', _detail: string): Promise<void> {
  return Promise.resolve();
}

/** Takes in what the fleet answers. */
export function registerPermit(_region: Region): void {
  return;
}
