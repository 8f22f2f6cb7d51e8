import type { NewAuditEntry } from '../../core/audit/record.js';
import type { AuditLog } from './port.js';

/** Appends for callers who may not fail: what the audit cannot take now waits in memory, in order. */
export interface AuditBacklog {
  /** Resolves when the entry is recorded, or waits. Never rejects. */
  append(region: string, entry: NewAuditEntry): Promise<void>;
  state(): BacklogState;
  /** Tries once more. */
  close(): Promise<void>;
}

export interface BacklogState {
  pending: number;
  /** Entries that found no room since the start. */
  dropped: number;
  /** Why the audit took nothing the last time; `null`: it did. */
  problem: string | null;
}

export interface BacklogOptions {
  maxEntries?: number;
  retryMs?: number;
}

interface Waiting {
  region: string;
  entry: NewAuditEntry;
}

const MAX_ENTRIES = 5000;
const RETRY_MS = 5000;

export function createAuditBacklog(audit: AuditLog, options: BacklogOptions = {}): AuditBacklog {
  const { maxEntries = MAX_ENTRIES, retryMs = RETRY_MS } = options;
  const waiting: Waiting[] = [];
  let dropped = 0;
  let problem: string | null = null;
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    try {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        // An act that was done again is recorded once: that its second record differs is no fault.
        await audit.append(first.region, [first.entry]);
        waiting.shift();
      }
      problem = null;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      later();
    }
  };
  const flushInTurn = async (): Promise<void> => {
    flushing = flushing.then(flush);
    return flushing;
  };
  const later = (): void => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      void flushInTurn();
    }, retryMs);
    // A worker that wants to end does not wait for it.
    timer.unref();
  };
  return {
    append: async (region, entry) => {
      if (waiting.length >= maxEntries) {
        dropped += 1;
        return;
      }
      waiting.push({ region, entry });
      await flushInTurn();
    },
    state: () => ({ pending: waiting.length, dropped, problem }),
    close: async () => {
      await flushInTurn();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
