import type { LbPolicy } from '../../spec/settings.js';
import { erlangC } from './erlang.js';
import { WAIT_FIT } from './waitFit.js';

/** One service, its instances and who calls them; times in mean service times. */
export interface QueueSetting {
  policy: LbPolicy;
  instances: number;
  concurrency: number;
  proxies: number;
  serviceTimeCv: number;
  arrivalCv2: number;
}

/** How requests wait: a part of them, for an exponential time. */
export interface Wait {
  waiting: number;
  /** Mean wait of those that wait, in mean service times. */
  scale: number;
}

export type FittedPolicy = 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM';

/** Coefficients of quadratic polynomials in `features`. */
export interface PolicyFit {
  /** Logarithm of the instances that a balancer pools into one queue, of infinitely many; absent: none. */
  pooled?: readonly number[];
  /** Log-odds of how random the arrivals at one instance are; absent: as random as Poisson. */
  random?: readonly number[];
  /** Logarithm of a factor on the mean wait. */
  scale: readonly number[];
  /** Logarithm of an exponent on the part that waits. */
  waiting: readonly number[];
}

/**
 * Waiting under a balancer, as in one queue of `pool` instances that share their workers: 1 where requests are split
 * at random, all instances where everything is known (Erlang C). Balancers lie between; where is fitted from
 * simulations (bench/capacity/fit.ts). Kingman's factor for how variable arrivals and services are.
 */
export function waitAt(
  setting: QueueSetting,
  utilisation: number,
  fits: Readonly<Record<FittedPolicy, PolicyFit>> = WAIT_FIT,
): Wait {
  const { instances, concurrency, serviceTimeCv, arrivalCv2 } = setting;
  const fit = fits[fittedPolicy(setting.policy)];
  const x = features(setting, utilisation);
  const others = instances - 1;
  const limit = fit.pooled === undefined ? 0 : Math.exp(polynomial(fit.pooled, x));
  const pool = others === 0 ? 1 : 1 + (others * limit) / (others + limit);
  const servers = pool * concurrency;
  // Bursts are shared by all instances; what splitting adds to them is as random as Poisson unless in turns.
  const split = fit.random === undefined ? 1 : 1 / (1 + Math.exp(-polynomial(fit.random, x)));
  const shared = pool / instances;
  const arrivals = arrivalCv2 * shared + split * (1 - shared);
  const variability = Math.max(0.001, (arrivals + serviceTimeCv ** 2) / 2);
  const factor = Math.exp(polynomial(fit.scale, x));
  const exponent = Math.exp(polynomial(fit.waiting, x));
  return {
    waiting: erlangC(servers, utilisation * servers) ** exponent,
    scale: (factor * variability) / (servers * (1 - utilisation)),
  };
}

/** Maglev gives every instance the same part of the keys to within a percent. */
export function fittedPolicy(policy: LbPolicy): FittedPolicy {
  return policy === 'MAGLEV' || policy === 'RING_HASH' ? 'RANDOM' : policy;
}

/** What the fit knows of a setting, each about −1 to 1. */
export function features(setting: QueueSetting, utilisation: number): readonly number[] {
  const { instances, concurrency, proxies, serviceTimeCv, arrivalCv2 } = setting;
  const c = Math.log(Math.min(64, concurrency)) / 2 - 1;
  // Own requests that a proxy has in flight at an instance: all that it knows of the instance's load.
  const seen = Math.log((utilisation * concurrency) / proxies);
  return [
    c,
    Math.log(1 - Math.min(0.97, utilisation)) / 1.5 + 1,
    Math.tanh(seen / 3),
    Math.min(2, serviceTimeCv) - 1,
    Math.min(2, Math.max(-1, arrivalCv2 - 1) / instances),
    utilisation * 2 - 1,
    2 / instances - 0.2,
  ];
}

/** Constant, the features, then all their products of two. */
export function terms(x: readonly number[]): number[] {
  const list = [1, ...x];
  x.forEach((a, i) => x.slice(i).forEach((b) => list.push(a * b)));
  return list;
}

function polynomial(coefficients: readonly number[], x: readonly number[]): number {
  let at = 0;
  let sum = coefficients[at++] ?? 0;
  for (const a of x) sum += (coefficients[at++] ?? 0) * a;
  for (let i = 0; i < x.length; i++) {
    for (let j = i; j < x.length; j++) sum += (coefficients[at++] ?? 0) * (x[i] ?? 0) * (x[j] ?? 0);
  }
  return Math.max(-5, Math.min(5, sum));
}
