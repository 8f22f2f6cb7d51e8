import http from 'node:http';

import type { SocketSpec } from '../../core/spec/region.js';
import { statusOf } from '../../testbed/http.js';
import { deriveSeed, exponential, seededRandom } from '../../testbed/random.js';
import type { Random } from '../../testbed/random.js';

/** Requests a second from `atMs` on. */
export interface RatePoint {
  atMs: number;
  rps: number;
}

/** One request of a user. */
export interface Sent {
  /** From the beginning of the load. */
  intendedMs: number;
  /** How much later it was sent. */
  lagMs: number;
  /** From the intended time to the end of the answer. */
  latencyMs: number;
  /** 0: none came. */
  status: number;
}

export interface LoadOptions {
  /** Who is asked, at random. */
  targets: readonly SocketSpec[];
  points: readonly RatePoint[];
  durationMs: number;
  seed: number;
  host?: string;
}

/** Nobody is waited for longer. */
const TIMEOUT_MS = 15_000;
/** A timer may be so late; what is left is waited for by turning. */
const TIMER_LATE_MS = 2;

/** When a Poisson process of these rates has its arrivals, ms. */
export function arrivalTimes(points: readonly RatePoint[], durationMs: number, random: Random): number[] {
  const times: number[] = [];
  points.forEach(({ atMs, rps }, i) => {
    // What is left of a wait at a change of rate is drawn anew: it has no memory.
    const until = Math.min(durationMs, points[i + 1]?.atMs ?? Infinity);
    if (rps <= 0) return;
    for (let at = atMs + exponential(random, 1000 / rps); at < until; at += exponential(random, 1000 / rps))
      times.push(at);
  });
  return times;
}

/** Sends at those times whatever becomes of the requests before (open loop), and waits for all answers. */
export async function sendLoad(options: LoadOptions): Promise<Sent[]> {
  const times = arrivalTimes(options.points, options.durationMs, seededRandom(deriveSeed(options.seed, 'arrivals')));
  const random = seededRandom(deriveSeed(options.seed, 'proxies'));
  const agent = new http.Agent({ keepAlive: true });
  const started = performance.now();
  const answers: Promise<Sent>[] = [];
  for (const intendedMs of times) {
    await until(started + intendedMs);
    const target = options.targets[Math.floor(random() * options.targets.length)];
    if (target === undefined) throw new Error('nobody to ask');
    const lagMs = performance.now() - started - intendedMs;
    answers.push(
      ask(agent, target, options.host).then((status) => {
        return { intendedMs, lagMs, latencyMs: performance.now() - started - intendedMs, status };
      }),
    );
  }
  const sent = await Promise.all(answers);
  agent.destroy();
  return sent;
}

async function until(time: number): Promise<void> {
  const left = time - performance.now();
  if (left > TIMER_LATE_MS) await new Promise((resolve) => setTimeout(resolve, left - TIMER_LATE_MS));
  // Answers are taken meanwhile.
  while (performance.now() < time) await new Promise((resolve) => setImmediate(resolve));
}

export async function ask(agent: http.Agent, target: SocketSpec, host?: string, path = '/'): Promise<number> {
  const headers = host === undefined ? {} : { host };
  return statusOf({ host: target.address, port: target.port, path, headers, agent, timeout: TIMEOUT_MS });
}
