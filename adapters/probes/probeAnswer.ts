import { isRecord } from '../../core/spec/rawDocument.js';
import { FAILURE_KINDS } from '../../core/tuning/networkLatency.js';
import type { ProbeTry } from '../../core/tuning/networkLatency.js';

/** The tries by destination that `probe` of psmg_target.py answers with. Throws with words when it is no such answer. */
export function triesOf(answer: unknown, host: string): ReadonlyMap<string, readonly ProbeTry[]> {
  const destinations = isRecord(answer) ? answer['destinations'] : undefined;
  if (!isRecord(destinations)) throw new Error('the answer to a probe names no destinations');
  return new Map(
    Object.entries(destinations).map(([name, tries]) => {
      if (!Array.isArray(tries)) throw new Error(`the answer to a probe has no list of tries for ${name}`);
      return [name, tries.map((one: unknown) => tryOf(one, host, name))];
    }),
  );
}

function tryOf(one: unknown, host: string, name: string): ProbeTry {
  const given = isRecord(one) ? one : {};
  const failure = FAILURE_KINDS.find((kind) => kind === given['failure']);
  if (failure !== undefined) return { host, failure, message: String(given['message'] ?? '').slice(0, 300) };
  const connectMs = timeOf(given['connectMs']);
  if (connectMs === undefined) throw new Error(`the answer to a probe has a try of ${name} that is none`);
  const { retransmitted } = given;
  const answerMs = timeOf(given['answerMs']);
  const serviceMs = timeOf(given['serviceMs']);
  const status = timeOf(given['status']);
  return {
    host,
    connectMs,
    ...(answerMs === undefined ? {} : { answerMs }),
    ...(serviceMs === undefined ? {} : { serviceMs }),
    ...(status === undefined ? {} : { status }),
    retransmitted: typeof retransmitted === 'boolean' ? retransmitted : null,
  };
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value < Infinity ? value : undefined;
}
