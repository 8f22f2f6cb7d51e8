import { describe, expect, it } from '@jest/globals';

import { middleOf, whyInsane } from './sane.js';

describe('whyInsane', () => {
  it.each([
    ['not a number', [1, Number.NaN], 'its forecast is not finite'],
    ['endless', [Number.POSITIVE_INFINITY], 'its forecast is not finite'],
    ['below zero', [-0.1], 'its forecast is negative'],
    ['far above the history', [51], 'its forecast goes beyond 10 times the history'],
    ['at the edge', [50, 0], null],
  ])('judges a forecast that is %s', (_, forecast, expected) => {
    expect(whyInsane([1, 5], forecast)).toBe(expected);
  });

  it('takes zero, and nothing else, after a history of zeros', () => {
    expect(whyInsane([0, 0], [0])).toBeNull();
    expect(whyInsane([0, 0], [0.1])).not.toBeNull();
  });
});

describe('middleOf', () => {
  it('is the median of those that can be meant', () => {
    expect(
      middleOf(
        [5],
        [
          [1, 9],
          [3, 4],
          [1000, Number.NaN],
          [2, 5],
        ],
      ),
    ).toEqual({ ok: true, mean: [2, 5] });
  });

  it('says why there is none', () => {
    expect(middleOf([5], [[Number.NaN]])).toEqual({ ok: false, reason: 'its forecast is not finite' });
    expect(middleOf([5], [])).toEqual({ ok: false, reason: 'the history is too short' });
  });
});
