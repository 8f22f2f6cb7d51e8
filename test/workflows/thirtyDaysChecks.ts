import { expect } from '@jest/globals';
import type { Times } from './thirtyDaysLife.js';
import { DAY_MS, TICK_MS } from './thirtyDaysLife.js';
import type { LongRun } from './thirtyDaysRuns.js';
import { OVERRIDDEN } from './thirtyDaysCourse.js';
import type { Lived } from './thirtyDaysStage.js';

/** The server's time goes on while something is carried out, as long as that takes. */
const SOON_MS = TICK_MS;

const within = (times: readonly Times[], atMs: number): Times | undefined =>
  times.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);

const held = ({ script }: Lived): Times[] => [...script.freezes, ...script.takenOver];

/** Ticks go on through everything; those in a freeze know of it. */
export function checkTicks({ script, outside }: Lived): void {
  const { beginMs, endMs } = script.course;
  const ticks = outside.ticks.filter(({ atMs }) => atMs >= beginMs && atMs < endMs);
  const most = (endMs - beginMs) / TICK_MS;
  expect(ticks.length).toBeGreaterThan(0.97 * most);
  expect(ticks.length).toBeLessThanOrEqual(most + 1);
  const wrong = ticks.filter(({ atMs, frozen }) => {
    const [before, after] = [atMs - SOON_MS, atMs + SOON_MS].map((time) => within(script.freezes, time) !== undefined);
    return before === after && frozen !== before;
  });
  expect(wrong).toEqual([]);
}

/** Each planned window is put in force when it begins, or, where that is held, at its end if it is still due. */
export function checkWindows(lived: Lived): { followed: number; late: number; passedOver: number } {
  const { script, outside } = lived;
  const { beginMs, endMs } = script.course;
  const windows = outside.plannedWindows(beginMs, endMs).slice(1);
  const counts = { followed: 0, late: 0, passedOver: 0 };
  for (const [i, { from, wallFromMs }] of windows.entries()) {
    const first = outside.timedWrites.find((write) => write.window === from)?.atMs;
    const hold = within(held(lived), wallFromMs);
    const dueMs = hold?.toMs ?? wallFromMs;
    if ((windows[i + 1]?.wallFromMs ?? Infinity) <= dueMs) {
      expect([from, first]).toEqual([from, undefined]);
      counts.passedOver += 1;
      continue;
    }
    expect([from, (first ?? 0) >= dueMs && (first ?? 0) < dueMs + SOON_MS]).toEqual([from, true]);
    counts[hold === undefined ? 'followed' : 'late'] += 1;
  }
  return counts;
}

/** A day after the last one began, or at the end of what held it; `asked`: plans that people asked for. */
export function checkPlans(lived: Lived, asked: number): number {
  const times = lived.outside.timesOf('planRegion');
  let early = 0;
  for (const [i, atMs] of times.entries()) {
    const before = times[i - 1];
    if (before === undefined) continue;
    const dueMs = before + DAY_MS;
    // The first one counts from when the region operates, a few minutes later.
    if (atMs < dueMs - SOON_MS) early += 1;
    else
      expect([i, atMs < (within(held(lived), dueMs)?.toMs ?? dueMs) + (i === 1 ? 12 : 2) * SOON_MS]).toEqual([i, true]);
  }
  expect(early).toBe(asked);
  return times.length;
}

/** An override is in force until its time, and through a freeze in which that falls. */
export function checkExpiries({ script, outside }: Lived): void {
  for (const { value, goneMs } of script.expiries) {
    const has = ({ overrides }: { overrides?: readonly string[] }): boolean =>
      overrides?.includes(`${OVERRIDDEN}=${value}`) === true;
    const last = outside.timedWrites.findLastIndex(has);
    const goneAtMs = outside.timedWrites[last + 1]?.atMs ?? Infinity;
    expect([value, last >= 0, Math.abs(goneAtMs - goneMs) < SOON_MS]).toEqual([value, true, true]);
  }
  expect(outside.noted('override-expired')).toHaveLength(script.expiries.length);
}

/** One writer after the other: each write is of the epoch of the last or a later one, and follows what that left. */
export function checkWrites({ outside }: Lived): void {
  const { writes } = outside;
  for (const [i, write] of writes.entries()) {
    const before = writes[i - 1];
    expect(write.epoch).toBeGreaterThanOrEqual(before?.epoch ?? 0);
    if (write.by === 'apply') expect([i, write.expectedHash]).toEqual([i, before?.hash]);
  }
  expect(writes.at(-1)?.hash).toBe(outside.hash);
}

/** Temporal's limits, and ours, over every run. */
export function checkRuns(runs: readonly LongRun[]): void {
  expect(runs.filter(({ events }) => events > 5000)).toEqual([]);
  expect(runs.filter(({ largestPayloadBytes }) => largestPayloadBytes > 256 * 1024)).toEqual([]);
  expect(runs.filter(({ stateBytes }) => stateBytes > 64 * 1024)).toEqual([]);
  expect(runs.filter(({ taskFailures }) => taskFailures > 0)).toEqual([]);
}

/** Runs in whose middle one build took over from another. */
export function sharedRuns(runs: readonly LongRun[]): string[] {
  return runs.filter(({ identities }) => identities.length > 1).map(({ identities }) => identities.join(' → '));
}
