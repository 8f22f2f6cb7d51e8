import { expect, it } from '@jest/globals';
import { quantityOf } from './quantity.js';

it.each([
  ['250m', 0.25],
  ['2', 2],
  [4, 4],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['128974848', 128_974_848],
  ['129e6', 129e6],
  ['129M', 129e6],
  ['1E', 1e18],
  ['100n', 1e-7],
])('reads the quantity %p', (text, value) => {
  expect(quantityOf(text)).toBeCloseTo(value, 12);
});

it.each(['', 'm', '-1', '1Zi', '1 Gi', '1e', '1e999', '1.2.3', 'constructor', '1constructor', null, {}, NaN, -3])(
  'takes %p for none',
  (text) => {
    expect(quantityOf(text)).toBeNull();
  },
);
