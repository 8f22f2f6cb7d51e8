import path from 'node:path';
import type { StoreHealth, StoreState } from '../port.js';
import type { FailedState } from './outcome.js';
import type { SenderStatus } from './sender.js';
import type { HeldAside } from './setAside.js';

export interface HealthFacts extends Pick<SenderStatus, 'failure' | 'storedPoints'> {
  target: { url: string; org: string; bucket: string };
  bytes: number;
  values: number;
  /** A batch found no room, and none was taken since. */
  refusedFull: boolean;
  /** The disk itself has no room. */
  diskFull: boolean;
  maxBytes: number;
  closed: boolean;
  setAside: HeldAside;
}

/** The worst that is so, in one sentence with what to do. Times by a clock that never goes back. */
export function healthOf(facts: HealthFacts, nowMs: number): StoreHealth {
  const { state, detail } = stateOf(facts, nowMs);
  return {
    state,
    detail,
    storedPoints: facts.storedPoints,
    queuedPoints: facts.values,
    queuedBytes: facts.bytes,
  };
}

function stateOf(facts: HealthFacts, nowMs: number): { state: StoreState; detail: string } {
  const { failure, target } = facts;
  const { files } = facts.setAside;
  if (facts.closed) return { state: 'closed', detail: 'the metrics store is closed' };
  const cause = failure === null ? null : `${CAUSES[failure.state](target)} (${failure.words})`;
  if (facts.diskFull) {
    const detail = 'the disk of the queue is full and new rows are refused: make room where PSMG_STATE is';
    return { state: 'queue-full', detail };
  }
  if (isFull(facts)) {
    const why =
      cause ??
      (files.length > 0
        ? `see ${files.map((file) => path.basename(file)).join(', ')}`
        : 'rows come faster than the server takes them');
    return {
      state: 'queue-full',
      detail: `the queue of ${facts.maxBytes} bytes is full and new rows are refused: ${why}`,
    };
  }
  if (failure !== null) {
    const since = Math.round((nowMs - failure.sinceMs) / 1000);
    return { state: failure.state, detail: `${cause}, for ${since} s; ${facts.values} values wait on disk` };
  }
  if (files.length > 0) {
    const detail = `the server refused rows: mend and send, or delete, ${files.join(', ')}`;
    return { state: 'rejected', detail };
  }
  return { state: 'ok', detail: `rows are kept in bucket ${target.bucket} of ${target.org} at ${target.url}` };
}

/** Once full, until there is room for more than a crumb again. */
function isFull({ bytes, setAside, refusedFull, maxBytes }: HealthFacts): boolean {
  return bytes + setAside.bytes > maxBytes * 0.98 || (refusedFull && bytes > maxBytes / 2);
}

const CAUSES: Record<FailedState, (target: HealthFacts['target']) => string> = {
  unreachable: ({ url }) => `${url} does not answer: start InfluxDB or mend PSMG_INFLUX_URL`,
  overloaded: ({ url }) => `${url} answers with an error of its own: look at InfluxDB's log`,
  unauthorized: ({ bucket }) => `the token may not read and write bucket ${bucket}: give one that may`,
  'no-bucket': ({ bucket, org }) => `bucket ${bucket} or organisation ${org} does not exist: run \`psmg metrics init\``,
};
