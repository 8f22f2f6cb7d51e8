import { createRandom } from '../../core/forecast/random.js';

/** Draws for one input of a campaign: the same seed and number give the same input, whatever came before. */
export interface Chance {
  /** A whole number, 0 ≤ it < `below`. */
  whole(below: number): number;
  /** In [0, 1). */
  share(): number;
  is(probability: number): boolean;
  of<T>(choices: readonly [T, ...T[]]): T;
  some<T>(choices: readonly T[], probability: number): T[];
}

export function chanceOf(seed: number, index: number): Chance {
  const share = createRandom(Math.imul(seed | 0, 0x27d4eb2f) ^ Math.imul(index + 1, 0x165667b1));
  const whole = (below: number): number => Math.floor(share() * below);
  const is = (probability: number): boolean => share() < probability;
  return {
    whole,
    share,
    is,
    of: (choices) => choices[whole(choices.length)] ?? choices[0],
    some: (choices, probability) => choices.filter(() => is(probability)),
  };
}
