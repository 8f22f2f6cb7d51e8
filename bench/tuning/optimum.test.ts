import { describe, expect, it } from '@jest/globals';

import { bestVertex, capacities, clairvoyant } from './optimum.js';
import { overloadScenario } from './scenarios.js';
import { deepBottleneck } from './synthetic.js';

describe('bestVertex', () => {
  it('solves what is solved by hand', () => {
    // max 3x + 2y, x + y ≤ 4, x + 3y ≤ 6, x ≤ 3: x = 3, y = 1.
    const rows = [
      { of: [1, 1], most: 4 },
      { of: [1, 3], most: 6 },
      { of: [1, 0], most: 3 },
      { of: [-1, 0], most: 0 },
      { of: [0, -1], most: 0 },
    ];
    const [x, y] = bestVertex([3, 2], rows);
    expect(x).toBeCloseTo(3, 9);
    expect(y).toBeCloseTo(1, 9);
  });

  it('takes nothing where nothing may be taken', () => {
    expect(
      bestVertex(
        [1],
        [
          { of: [1], most: 0 },
          { of: [-1], most: 0 },
        ],
      ),
    ).toEqual([0]);
  });
});

describe('clairvoyant', () => {
  it('lets in first what asks the store once, and searches with what is left', () => {
    const app = deepBottleneck(300);
    const { model } = overloadScenario(app, 2);
    const store = capacities(model).get('store') ?? 0;
    const demand = { search: store, order: store / 4 };
    const { admittedRps, valuePerSecond } = clairvoyant(app, model, demand);
    expect(admittedRps['order']).toBeCloseTo(store / 4, 6);
    expect(admittedRps['search']).toBeCloseTo((0.75 * store) / 4, 6);
    const value = model.entries[0]?.value ?? 0;
    expect(valuePerSecond).toBeCloseTo(value * (store / 4 + (0.75 * store) / 4), 9);
  });
});
