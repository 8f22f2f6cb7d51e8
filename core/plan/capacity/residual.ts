import { hyperexponential } from './drawTimes.js';
import { serviceTimeTail } from './serviceTimes.js';

/** First two moments of a time, in mean service times. */
export interface Moments {
  mean: number;
  square: number;
}

/** Of what is left of the services that are under way. */
export interface Residuals {
  /** Until the first of all workers is free. */
  first: Moments;
  /** Of one service, seen at a random moment of it. */
  one: Moments;
}

const STEPS = 120;
/** Beyond so many means of a residual the integrals hold nothing. */
const REACH = 14;

/**
 * What is left of a service at a random moment has the density P(S > x); of `concurrency` workers that are all busy
 * the first is free after the least of as many of them, taken as independent.
 */
export function residuals(cv: number, concurrency: number): Residuals {
  const one = { mean: (1 + cv * cv) / 2, square: thirdMoment(cv) / 3 };
  if (concurrency === 1) return { first: one, one };
  const width = (REACH * one.mean) / STEPS;
  let [longer, mean, square, before, powered] = [1, 0, 0, 1, 1];
  for (let i = 1; i <= STEPS; i++) {
    // Steps grow with the square, as the least of many is short.
    const to = reachOf(i, width);
    const from = reachOf(i - 1, width);
    const after = serviceTimeTail(cv, to);
    longer = Math.max(0, longer - ((to - from) * (before + 4 * serviceTimeTail(cv, (from + to) / 2) + after)) / 6);
    const next = longer ** concurrency;
    mean += ((to - from) * (powered + next)) / 2;
    square += ((to - from) * (2 * from * powered + 2 * to * next)) / 2;
    [before, powered] = [after, next];
  }
  return { first: { mean, square }, one };
}

function reachOf(step: number, width: number): number {
  return (step * step * width) / STEPS;
}

function thirdMoment(cv: number): number {
  const cv2 = cv * cv;
  if (cv2 <= 1) return (1 + cv2) * (1 + 2 * cv2);
  const { probability, fastMean, slowMean } = hyperexponential(cv2);
  return 6 * (probability * fastMean ** 3 + (1 - probability) * slowMean ** 3);
}
