import { median } from '../forecast/series.js';
import { wilsonLowerBound } from './wilson.js';

/** One try to reach a neighbour's gateway, as the script on a host measured it. */
export type ProbeTry = ProbeAnswer | ProbeFailure;

export interface ProbeAnswer {
  /** Of ours, from which it was tried. */
  host: string;
  /** TCP's handshake. */
  connectMs: number;
  /** From the request to the head of its answer, on the open connection; absent: nothing was asked. */
  answerMs?: number;
  /** Of `answerMs`, what the gateway's own endpoint took. */
  serviceMs?: number;
  status?: number;
  /** The kernel had to send something again; `null`: it does not tell. */
  retransmitted: boolean | null;
}

export interface ProbeFailure {
  host: string;
  failure: FailureKind;
  message: string;
}

/** `lost`: no answer in time. All others are answers, or our own fault, and say nothing about loss. */
export const FAILURE_KINDS = ['lost', 'refused', 'closed', 'unreachable', 'unresolved', 'tls', 'no-http'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The way from this region to a neighbour and back. `null` is "not known", never zero. */
export interface NetworkLatency {
  neighbour: string;
  /** Milliseconds since the epoch. */
  at: number;
  tries: number;
  /** Tries that count for latency. */
  answers: number;
  /** Without an answer in time, or sent again: their times are the kernel's time-outs and not the way's. */
  lost: number;
  /** Refused, closed or not understood. */
  failed: number;
  rttP50Ms: number | null;
  /** What the median lies between, at 95 %. */
  rttP50LowMs: number | null;
  rttP50HighMs: number | null;
  rttP90Ms: number | null;
  /** Mean difference of one round trip from the one before, from the same host. */
  jitterMs: number | null;
  handshakeP50Ms: number | null;
  /** Lost of lost and answered, 0–1, with Wilson's interval at 95 %. */
  lossShare: number | null;
  lossShareLow: number | null;
  lossShareHigh: number | null;
}

/** With fewer values no two of them enclose the median at 95 %. */
export const LEAST_FOR_MEDIAN = 6;
/** With fewer the 90 % quantile would be the largest of all, whatever that is. */
const LEAST_FOR_P90 = 10;

/** Latency and loss from the tries of all hosts to one neighbour. */
export function networkLatency(neighbour: string, tries: readonly ProbeTry[], at: number): NetworkLatency {
  const answered = tries.filter((one): one is ProbeAnswer => 'connectMs' in one);
  const sound = answered.filter(({ retransmitted }) => retransmitted !== true);
  const timedOut = tries.filter((one) => 'failure' in one && one.failure === 'lost').length;
  const lost = timedOut + answered.length - sound.length;
  const judged = lost + sound.length;
  const trips = sound.map(roundTripMs).sort((a, b) => a - b);
  const [low, high] = medianInterval(trips) ?? [null, null];
  return {
    neighbour,
    at,
    tries: tries.length,
    answers: sound.length,
    lost,
    failed: tries.length - judged,
    rttP50Ms: low === null ? null : median(trips),
    rttP50LowMs: low,
    rttP50HighMs: high,
    rttP90Ms: trips.length < LEAST_FOR_P90 ? null : (trips[Math.ceil(0.9 * trips.length) - 1] ?? null),
    jitterMs: low === null ? null : jitterOf(sound),
    handshakeP50Ms: low === null ? null : median(sound.map(({ connectMs }) => connectMs)),
    lossShare: judged === 0 ? null : lost / judged,
    lossShareLow: judged === 0 ? null : wilsonLowerBound(lost, judged),
    lossShareHigh: judged === 0 ? null : 1 - wilsonLowerBound(judged - lost, judged),
  };
}

/** What the network and the gateway took of a request; the handshake's, where nothing was asked. */
function roundTripMs({ connectMs, answerMs, serviceMs = 0 }: ProbeAnswer): number {
  if (answerMs === undefined) return connectMs;
  return serviceMs <= answerMs ? answerMs - serviceMs : answerMs;
}

function jitterOf(tries: readonly ProbeAnswer[]): number | null {
  const before = new Map<string, number>();
  const steps: number[] = [];
  for (const one of tries) {
    const trip = roundTripMs(one);
    const last = before.get(one.host);
    if (last !== undefined) steps.push(Math.abs(trip - last));
    before.set(one.host, trip);
  }
  return steps.length === 0 ? null : steps.reduce((sum, step) => sum + step, 0) / steps.length;
}

/**
 * The two values, of those given in rising order, that enclose the median with at least 95 %, whatever the
 * distribution: by the binomial law of how many values lie below it. `null`: too few.
 */
export function medianInterval(rising: readonly number[]): readonly [number, number] | null {
  const count = rising.length;
  // P(fewer than `rank` of the values lie below the median).
  let probability = 0.5 ** count;
  let below = probability;
  let rank = 0;
  while (below <= 0.025 && rank < count / 2) {
    rank += 1;
    probability *= (count - rank + 1) / rank;
    below += probability;
  }
  const low = rising[rank - 1];
  const high = rising[count - rank];
  return rank === 0 || low === undefined || high === undefined ? null : [low, high];
}

/** What a person should know of the tries to one neighbour; nothing when all went well. */
export function probeProblems(found: NetworkLatency, tries: readonly ProbeTry[]): string[] {
  const { neighbour, answers, lost, failed } = found;
  const problems: string[] = [];
  const failures = tries.filter((one): one is ProbeFailure => 'failure' in one && one.failure !== 'lost');
  const [first] = failures;
  if (first !== undefined) {
    problems.push(`${neighbour}: ${failed} of ${tries.length} probes failed: ${first.failure}: ${first.message}`);
  }
  const refusing = tries.flatMap((one) => ('status' in one && (one.status ?? 200) >= 300 ? [one.status ?? 0] : []));
  if (refusing.length > 0) {
    problems.push(`${neighbour}: its gateway answers ${refusing.length} of ${tries.length} probes with ${refusing[0]}`);
  }
  if (found.rttP50Ms === null) {
    const why = `${answers} answers, ${lost} lost, of at least ${LEAST_FOR_MEDIAN} answers needed`;
    problems.push(`${neighbour}: network latency is not known: ${why}`);
  }
  return problems;
}
