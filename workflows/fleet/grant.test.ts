import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Change, GrantRules } from './grant.js';
import { areApart, grantable, whyWaiting } from './grant.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const change = (region: string, neighbours: readonly string[] = []): Change => ({ region, neighbours });

const rules: fc.Arbitrary<GrantRules> = fc.record({
  maxConcurrentChanges: fc.integer({ min: 1, max: 4 }),
  failover: fc.option(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 8 })),
});

const changes = fc.uniqueArray(
  fc.record({ region: fc.constantFrom(...NAMES), neighbours: fc.subarray([...NAMES], { maxLength: 3 }) }),
  { selector: ({ region }) => region },
);

function apartFromEachOther(list: readonly Change[], by: GrantRules): boolean {
  return list.every((one, i) => list.slice(i + 1).every((other) => !areApart(one, other, by)));
}

describe('grantable', () => {
  it('is in order, up to the number, and passes over failover targets', () => {
    const by = { maxConcurrentChanges: 2, failover: [['a', 'b']] as const };
    const waiting = [change('a'), change('b'), change('c'), change('d')];
    expect(grantable(waiting, [], by).map(({ region }) => region)).toEqual(['a', 'c']);
    expect(whyWaiting(change('b'), [], [change('a')], by)).toBe('its failover target a changes first');
    expect(whyWaiting(change('d'), [], [change('a'), change('c')], by)).toBe('2 of 2 permits are out');
  });

  it('takes neighbours for failover targets where the file names none, whichever of the two says so', () => {
    const by = { maxConcurrentChanges: 9, failover: null };
    expect(grantable([change('a', ['b']), change('b'), change('c', ['b'])], [], by).map((one) => one.region)).toEqual([
      'a',
    ]);
  });

  it('never grants more than the number, nor failover targets together', () => {
    fc.assert(
      fc.property(changes, rules, (waiting, by) => {
        const first = grantable(waiting, [], by);
        expect(first.length).toBeLessThanOrEqual(by.maxConcurrentChanges);
        expect(apartFromEachOther(first, by)).toBe(true);
        const rest = waiting.filter((one) => !first.includes(one));
        const more = grantable(rest, first, by);
        expect(first.length + more.length).toBeLessThanOrEqual(by.maxConcurrentChanges);
        expect(apartFromEachOther([...first, ...more], by)).toBe(true);
      }),
    );
  });

  it('starves nobody: whoever waits is granted after no more turns than there are regions, come what may', () => {
    fc.assert(
      fc.property(changes, rules, fc.infiniteStream(fc.nat()), (start, by, chance) => {
        let waiting: Change[] = [...start];
        const granted: Change[] = [];
        const since = new Map<string, number>(waiting.map(({ region }) => [region, 0]));
        for (let turn = 1; turn <= 40; turn += 1) {
          const now = grantable(waiting, granted, by);
          waiting = waiting.filter((one) => !now.includes(one));
          granted.push(...now);
          expect(granted.length).toBeLessThanOrEqual(by.maxConcurrentChanges);
          expect(apartFromEachOther(granted, by)).toBe(true);
          for (const { region } of waiting)
            expect(turn - (since.get(region) ?? 0)).toBeLessThanOrEqual(2 * NAMES.length);
          // One is returned, whichever; its region asks again at once, behind the others.
          const [returned] = granted.splice(chance.next().value % Math.max(1, granted.length), 1);
          if (returned === undefined) continue;
          // Every permit is out for a bounded time: the oldest cannot stay for ever.
          const [oldest] = granted.length > 0 ? granted.splice(0, 1) : [];
          for (const one of [returned, oldest]) {
            if (one === undefined) continue;
            waiting.push(one);
            since.set(one.region, turn);
          }
        }
      }),
    );
  });
});
