import { describe, expect, it } from '@jest/globals';

import { createRandom } from './random.js';
import type { CallsByEntry, Unreconciled } from './reconcile.js';
import { reconcile } from './reconcile.js';

const CALLS: CallsByEntry = new Map([
  ['shop', new Map([['shop', 1]])],
  ['cart', new Map([['shop', 0.5]])],
  ['stock', new Map([['shop', 2]])],
]);
const STEPS = 24;

/** Forecasts off by normal-like errors of a given size, where demand is `calls × 100` in every step. */
function made(noise: Readonly<Record<string, number>>, seed = 1): Unreconciled[] {
  const random = createRandom(seed);
  const error = (): number => random() + random() + random() + random() - 2;
  return Object.entries(noise).map(([service, size]) => {
    const level = 100 * (CALLS.get(service)?.get('shop') ?? 1);
    const off = (): number[] => Array.from({ length: STEPS }, () => level * (1 + size * error()));
    const actual = Array.from({ length: STEPS }, () => level);
    const heldOut = [0, 1, 2, 3, 4].map((origin) => ({ originMs: origin, actual, predicted: off() }));
    return { service, heldOut, mean: off(), scale: level / 10 };
  });
}

describe('reconcile', () => {
  it('makes forecasts agree along the graph, nearer to the better ones', () => {
    const services = made({ shop: 0.02, cart: 0.3, stock: 0.3 });
    const result = reconcile(services, CALLS, ['shop']);
    if (result === null) throw new Error('not reconciled');
    expect(result.after).toBeLessThan(0.5 * result.before);
    const of = (service: string): readonly number[] => result.byService.get(service)?.mean ?? [];
    for (let step = 0; step < STEPS; step++) {
      expect(of('cart')[step]).toBeCloseTo(0.5 * (of('shop')[step] ?? 0), 9);
      expect(of('stock')[step]).toBeCloseTo(2 * (of('shop')[step] ?? 0), 9);
      expect(Math.abs((of('shop')[step] ?? 0) - (services[0]?.mean[step] ?? 0))).toBeLessThan(3);
    }
  });

  it('corrects an entry that is forecast badly from the services behind it', () => {
    const result = reconcile(made({ shop: 0.4, cart: 0.02, stock: 0.02 }), CALLS, ['shop']);
    const shop = result?.byService.get('shop')?.mean ?? [];
    expect(shop).toHaveLength(STEPS);
    for (const value of shop) expect(Math.abs(value - 100)).toBeLessThan(6);
  });

  it('leaves forecasts alone where a graph that is wrong would make them worse', () => {
    const wrong: CallsByEntry = new Map([
      ['shop', new Map([['shop', 1]])],
      ['cart', new Map([['shop', 3]])],
    ]);
    expect(reconcile(made({ shop: 0.05, cart: 0.05 }), wrong, ['shop'])).toBeNull();
  });

  it('has nothing to say without a graph, with entries alone, or with other origins', () => {
    const services = made({ shop: 0.02, cart: 0.3 });
    expect(reconcile(services, new Map(), ['shop'])).toBeNull();
    expect(reconcile(services.slice(0, 1), CALLS, ['shop'])).toBeNull();
    const shifted = services.map((one, index) =>
      index === 0 ? one : { ...one, heldOut: one.heldOut.map((held) => ({ ...held, originMs: held.originMs + 1 })) },
    );
    expect(reconcile(shifted, CALLS, ['shop'])).toBeNull();
  });

  it('leaves forecasts alone when an entry that brings demand has none', () => {
    const two: CallsByEntry = new Map([
      ['shop', new Map([['shop', 1]])],
      [
        'cart',
        new Map([
          ['shop', 0.5],
          ['app', 0.5],
        ]),
      ],
    ]);
    expect(reconcile(made({ shop: 0.02, cart: 0.3 }), two, ['shop', 'app'])).toBeNull();
  });
});
