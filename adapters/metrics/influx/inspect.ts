import { existsSync } from 'node:fs';
import type { StoreHealth } from '../port.js';
import type { InfluxTarget } from './connection.js';
import { openConnection } from './connection.js';
import { healthOf } from './healthOf.js';
import { failedOrStored } from './outcome.js';
import { readCursor } from './queue/cursor.js';
import { inspectSegment, segmentIds } from './queue/segments.js';
import { MAX_QUEUE_BYTES } from './queue/diskQueue.js';
import { setAsideIn } from './setAside.js';

/** Health as another process sees it, while a worker may hold the queue: the server is asked, the folder is only read. */
export async function inspectInflux(target: InfluxTarget, queueDirectory: string): Promise<StoreHealth> {
  const connection = openConnection(target);
  try {
    const outcome = failedOrStored(await connection.send(''));
    const nowMs = performance.now();
    const failure = outcome.kind === 'failed' ? { state: outcome.state, words: outcome.words, sinceMs: nowMs } : null;
    const exists = existsSync(queueDirectory);
    const size = exists ? queuedIn(queueDirectory) : { bytes: 0, values: 0 };
    const setAside = exists ? setAsideIn(queueDirectory).held() : { files: [], bytes: 0 };
    const unknown = { storedPoints: 0, refusedFull: false, diskFull: false, closed: false };
    return healthOf({ ...unknown, ...size, target, failure, setAside, maxBytes: MAX_QUEUE_BYTES }, nowMs);
  } finally {
    connection.close();
  }
}

function queuedIn(directory: string): { bytes: number; values: number } {
  const cursor = readCursor(directory) ?? { segment: 0, offset: 0 };
  const segments = segmentIds(directory)
    .filter((id) => id >= cursor.segment)
    .flatMap((id) => {
      try {
        return [inspectSegment(directory, id, id === cursor.segment ? cursor.offset : 0, false)];
      } catch (error) {
        // The worker has sent it and removed it meanwhile.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    });
  const taken = segments.some(({ id }) => id === cursor.segment) ? cursor.offset : 0;
  return {
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0) - taken,
    values: segments.reduce((sum, segment) => sum + segment.values, 0),
  };
}
