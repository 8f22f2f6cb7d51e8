import type { Judgement, Observation, ServiceObservation } from '../spec/observation.js';
import { doubt } from './doubt.js';
import { percent } from './percent.js';
import { wilsonLowerBound } from './wilson.js';

export interface JudgeCriteria {
  /** Fewer requests than this over all judged services is inconclusive. */
  minRequests: number;
  /** 0–1 */
  maxErrorRate: number;
  /** SLO by service; a service without one is judged on errors only. */
  p99Ms: Readonly<Record<string, number>>;
}

export interface JudgeInput {
  observation: Observation;
  criteria: JudgeCriteria;
  services: readonly string[];
}

/** With fewer samples the 99th percentile is the slowest request, and one straggler is no verdict. */
const SAMPLES_FOR_P99 = 100;

/**
 * Verdict on a step of activation. Partial, stale, contradicted or too little → inconclusive; so is a service that got
 * requests and whose errors or latency nobody knows. Failed: errors whose 95 % lower bound is above the limit, or p99
 * over the SLO (with under 100 requests only when the median is over it too). In doubt (error rate above the limit,
 * but so few that chance explains it) → inconclusive. Refusals of the rate limit are no errors; the reason names them.
 */
export function judgeStep(input: JudgeInput): Judgement {
  const { observation, criteria, services } = input;
  const doubted = doubt(observation, services);
  if (doubted !== null) return inconclusive(doubted);
  const seen = observation.services.filter((s) => services.includes(s.service));
  const requests = seen.reduce((sum, s) => sum + s.requests, 0);
  if (requests < criteria.minRequests) {
    return inconclusive(`${requests} requests in the window, ${criteria.minRequests} are needed for a verdict`);
  }
  const judgements = seen.filter((s) => s.requests > 0).map((s) => judgeService(s, criteria));
  for (const verdict of ['failed', 'inconclusive'] as const) {
    const matching = judgements.filter((j) => j.verdict === verdict);
    if (matching.length > 0) return { verdict, reason: sentence(matching, seen) };
  }
  const quiet = services.filter((name) => !seen.some((s) => s.service === name && s.requests > 0));
  const silence = quiet.length === 0 ? '' : `; no requests to ${quiet.join(', ')}`;
  return { verdict: 'successful', reason: `${sentence(judgements, seen)}${silence}` };
}

function judgeService(s: ServiceObservation, criteria: JudgeCriteria): Judgement {
  const answered = Math.max(0, s.requests - s.errors.rateLimited);
  if (s.errorRate === null)
    return inconclusive(`${s.service}: none of ${s.requests} requests was answered, or nobody saw`);
  const failures = Math.round(s.errorRate * answered);
  const floor = wilsonLowerBound(failures, answered);
  const errors = `${s.service}: ${failures} of ${answered} failed (${percent(s.errorRate)})`;
  if (floor > criteria.maxErrorRate) {
    const said = `${errors}, at least ${percent(floor)} at 95 % confidence, limit ${percent(criteria.maxErrorRate)}`;
    return { verdict: 'failed', reason: said };
  }
  const sloMs = criteria.p99Ms[s.service];
  if (sloMs !== undefined && s.p99Ms === null) return inconclusive(`${errors}, p99 unknown`);
  if (sloMs !== undefined && s.p99Ms !== null && s.p99ErrorMs === null && s.p99Ms <= sloMs) {
    return inconclusive(`${errors}, p99 ${ms(s.p99Ms)} or more: its bucket is open`);
  }
  if (sloMs !== undefined && s.p99Ms !== null && s.p99Ms > sloMs) {
    const said = `${s.service}: p99 ${ms(s.p99Ms)} over the SLO of ${ms(sloMs)}`;
    const enough = answered >= SAMPLES_FOR_P99 || (s.p50Ms !== null && s.p50Ms > sloMs);
    return enough
      ? { verdict: 'failed', reason: said }
      : inconclusive(`${said}, but with ${answered} requests that is the slowest one only`);
  }
  if (s.errorRate > criteria.maxErrorRate) {
    return inconclusive(`${errors}, above ${percent(criteria.maxErrorRate)} but too few to rule out chance`);
  }
  const latency = s.p99Ms === null ? 'p99 unknown' : `p99 ${ms(s.p99Ms)}`;
  const limit = sloMs === undefined ? '' : ` (SLO ${ms(sloMs)})`;
  return { verdict: 'successful', reason: `${errors}, ${latency}${limit}` };
}

function sentence(judgements: readonly Judgement[], seen: readonly ServiceObservation[]): string {
  const refused = seen
    .filter((s) => s.errors.rateLimited > 0)
    .map((s) => `${s.errors.rateLimited} requests to ${s.service} refused by its rate limit, not counted as errors`);
  return [...judgements.map((j) => j.reason), ...refused].join('; ');
}

function inconclusive(reason: string): Judgement {
  return { verdict: 'inconclusive', reason };
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
