import type { LbPolicy } from '../../spec/settings.js';
import { erlangC } from './erlang.js';
import type { Moments, Residuals } from './residual.js';
import type { Wait } from './serviceTimes.js';
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

export type FittedPolicy = 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM';
/** By policy, coefficients over `basis`. */
export type WaitFit = Readonly<Record<FittedPolicy, readonly number[]>>;

/**
 * Waiting under a balancer, as under a random split of Poisson arrivals at another utilisation: lower where the
 * balancer evens out, higher where arrivals come in bursts. Which, is a closed form where an instance has little to do
 * and a fit to simulations on top of it (bench/capacity/fit.ts).
 */
export function waitsAt(
  setting: QueueSetting,
  residuals: Residuals,
  utilisation: number,
  fit: WaitFit = WAIT_FIT,
): readonly Wait[] {
  if (utilisation <= 0) return [];
  return randomWaits(setting.concurrency, residuals, randomUtilisation(setting, utilisation, fit));
}

/** The utilisation at which a random split of Poisson arrivals would wait as this setting does at `utilisation`. */
export function randomUtilisation(setting: QueueSetting, utilisation: number, fit: WaitFit = WAIT_FIT): number {
  const policy = fittedPolicy(setting.policy);
  const asRandom = correction('RANDOM', setting, utilisation, fit);
  // Of one instance there is nothing to choose; and no balancer that evens out does worse than none.
  const shift = policy === 'RANDOM' || setting.instances === 1 ? asRandom : asRandom + evened(policy);
  return 1 / (1 + ((1 - utilisation) / utilisation) * Math.exp(-shift));

  function evened(by: FittedPolicy): number {
    return Math.min(0, firstGuess(by, setting, utilisation) + correction(by, setting, utilisation, fit));
  }
}

/**
 * M/G/c by Tijms, van Hoorn and Federgruen (1981): as many wait as by Erlang's C; the first until one of the busy
 * workers is free, each after it for one more residual of a service that all workers share. Exact for M/M/c and M/G/1.
 * Those that wait for one alone are told apart from the others: at light load they are most.
 */
export function randomWaits(concurrency: number, { first, one }: Residuals, utilisation: number): readonly Wait[] {
  const waiting = erlangC(concurrency, utilisation * concurrency);
  const ahead = 1 / (1 - utilisation);
  const mean = one.mean / concurrency;
  const variance = (one.square - one.mean ** 2) / concurrency ** 2;
  const more = { mean: ahead * mean, variance: ahead * variance + utilisation * ahead ** 2 * mean ** 2 };
  const alone = varianceOf(first);
  return [
    { waiting: waiting * (1 - utilisation), ...paretoOf(first.mean, alone) },
    { waiting: waiting * utilisation, ...paretoOf(first.mean + more.mean, alone + more.variance) },
  ];
}

function varianceOf({ mean, square }: Moments): number {
  return Math.max(0, square - mean * mean);
}

const LEAST_SHAPE = -1;
const MOST_SHAPE = 0.45;

/** Of this mean and variance: uniform and exponential are exact. */
function paretoOf(mean: number, variance: number): { scale: number; shape: number } {
  const shape = variance > 0 ? (1 - (mean * mean) / variance) / 2 : LEAST_SHAPE;
  return { scale: mean, shape: Math.min(MOST_SHAPE, Math.max(LEAST_SHAPE, shape)) };
}

/** Maglev gives every instance the same part of the keys to within a percent. */
export function fittedPolicy(policy: LbPolicy): FittedPolicy {
  return policy === 'MAGLEV' || policy === 'RING_HASH' ? 'RANDOM' : policy;
}

/** A proxy that takes turns hardly meets its own request: most that it meets of itself is this part of a random one. */
const OWN_IN_TURNS = 0.1;

/**
 * Of one worker that is seldom busy, the logarithm of how often a request meets a busy one over how busy they are. What
 * other proxies sent, a proxy cannot see. Its own it meets only where both choices have one, or are the same.
 */
export function firstGuess(policy: FittedPolicy, setting: QueueSetting, utilisation: number): number {
  const { proxies, instances } = setting;
  const others = 1 - 1 / proxies;
  if (policy === 'RANDOM') return 0;
  if (policy === 'ROUND_ROBIN') return Math.log(others + OWN_IN_TURNS / proxies);
  const both = 1 / instances + ((1 - 1 / instances) * utilisation) / proxies;
  return Math.log(others + both / proxies);
}

const MOST_SHIFT = 6;

/** Learnt, in log-odds: for RANDOM from the closed form, for the others from RANDOM and the first guess. */
export function correction(policy: FittedPolicy, setting: QueueSetting, utilisation: number, fit: WaitFit): number {
  const coefficients = fit[policy];
  const x = features(policy, setting, utilisation);
  // The polynomial of `basis` in nested form: plans ask for it too often to list its products.
  let at = x.length + 1;
  let sum = coefficients[0] ?? 0;
  for (let i = 0; i < x.length; i++) {
    let one = coefficients[i + 1] ?? 0;
    for (let j = i; j < x.length; j++) {
      let two = coefficients[at++] ?? 0;
      for (let k = j; k < x.length; k++) two += (coefficients[at++] ?? 0) * (x[k] ?? 0);
      one += two * (x[j] ?? 0);
    }
    sum += one * (x[i] ?? 0);
  }
  return Math.max(-MOST_SHIFT, Math.min(MOST_SHIFT, sum));
}

/** What the fit knows of a setting, with all products of two and of three; the constant first. */
export function basis(policy: FittedPolicy, setting: QueueSetting, utilisation: number): readonly number[] {
  const x = features(policy, setting, utilisation);
  const list = [1, ...x];
  for (let i = 0; i < x.length; i++) {
    for (let j = i; j < x.length; j++) {
      const two = (x[i] ?? 0) * (x[j] ?? 0);
      list.push(two);
      for (let k = j; k < x.length; k++) list.push(two * (x[k] ?? 0));
    }
  }
  return list;
}

/** Each about −1 to 1. */
function features(policy: FittedPolicy, setting: QueueSetting, utilisation: number): number[] {
  const { instances, proxies, serviceTimeCv, arrivalCv2 } = setting;
  const concurrency = Math.min(64, setting.concurrency);
  const shared = [
    Math.log(concurrency) / 2 - 1,
    Math.log(1 - Math.min(0.97, utilisation)) / 1.5 + 1,
    Math.log(Math.max(0.005, utilisation)) / 2 + 1,
    Math.min(2, serviceTimeCv) - 1,
    // Requests that come close together, over those of others that an instance works on; smoother is taken as Poisson.
    Math.log1p(Math.max(0, arrivalCv2 - 1) / (instances * Math.max(0.005, utilisation))) / 2,
    Math.max(-8, Math.log(erlangC(concurrency, utilisation * concurrency))) / 4 + 1,
  ];
  if (policy === 'RANDOM') return shared;
  // Own requests that a proxy has in flight at an instance: all that it knows of the instance's load.
  const seen = Math.log((utilisation * concurrency) / proxies);
  return [...shared, Math.tanh(seen / 3), 2 / proxies - 0.5, 2 / instances - 0.2];
}
