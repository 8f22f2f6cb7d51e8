import { readFileSync } from 'node:fs';
import { waitFor } from './http.js';
import type { RunningProcess } from './processes.js';

const ASKS_WITHIN_MS = 2_000;
const QUOTED_CHARACTERS = 3_000;

/** What a server is called where it does not come up: `Prometheus` … `ready`. */
export interface AnsweringServer {
  name: string;
  /** What it is when it answers well. */
  state: string;
  /** Answers with a 2xx from then on. */
  url: string;
  withinMs: number;
}

/** Waits until a process that was just started answers; stops it, and quotes its log, where it does not or ends. */
export async function becomesAnswering(process: RunningProcess, server: AnsweringServer): Promise<void> {
  const { name, state, url, withinMs } = server;
  try {
    await waitFor(`${name} at ${url}`, withinMs, async () => {
      if (!process.isRunning()) return 'ended';
      const response = await fetch(url, { signal: AbortSignal.timeout(ASKS_WITHIN_MS) });
      return response.ok && 'answers';
    });
    if (!process.isRunning()) throw new Error(`${name} ended before it was ${state}`);
  } catch (error) {
    await process.stop();
    throw withLog(error, process.logFile);
  }
}

/** The error with the end of the log that explains it. */
export function withLog(error: unknown, logFile: string): Error {
  const text = readFileSync(logFile, 'utf8').slice(-QUOTED_CHARACTERS);
  return new Error(`${error instanceof Error ? error.message : String(error)}\n${logFile} ends with:\n${text}`, {
    cause: error,
  });
}
