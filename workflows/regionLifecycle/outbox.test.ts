import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NOTIFICATION_KINDS } from '../../core/spec/region.js';
import type { NotificationKind } from '../../core/spec/region.js';
import type { PendingNotification } from './outbox.js';
import { add, emptyOutbox, isNews, notificationLines, notificationStatus } from './outbox.js';

function note(id: string, kind: NotificationKind = 'blocked', detail = ''): PendingNotification {
  return { id, kind, at: '', title: '', detail, planHash: null, delivered: [], tries: 0, dueMs: 0 };
}

describe('the outbox', () => {
  it('drops the oldest of the same kind first, else the oldest, and counts', () => {
    const outbox = emptyOutbox();
    add(outbox, note('old', 'ended'));
    for (let i = 0; i < 50; i += 1) add(outbox, note(`b${i}`));
    expect(outbox.pending.map(({ id }) => id).slice(0, 2)).toEqual(['old', 'b1']);
    add(outbox, note('r', 'reverted'));
    expect(outbox.pending.map(({ id }) => id).slice(0, 2)).toEqual(['b1', 'b2']);
    expect(outbox).toMatchObject({ lost: 2, pending: { length: 50 } });
    expect(notificationStatus({ outbox })).toEqual({ noted: 0, pending: 50, lost: 2, problem: null });
    expect(notificationLines({ outbox })).toEqual(['- notifications: 50 wait, 2 lost']);
  });

  it('stays small, and keeps the newest, whatever comes', () => {
    const any = fc.record({ kind: fc.constantFrom(...NOTIFICATION_KINDS), size: fc.integer({ min: 0, max: 1000 }) });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 120 }), (notes) => {
        const outbox = emptyOutbox();
        for (const [i, { kind, size }] of notes.entries()) {
          add(outbox, note(`n${i}`, kind, '"'.repeat(size)));
          expect(outbox.pending.at(-1)?.id).toBe(`n${i}`);
        }
        expect(outbox.pending.length + outbox.lost).toBe(notes.length);
        expect(outbox.pending.length).toBeLessThanOrEqual(50);
        expect(JSON.stringify(outbox.pending).length).toBeLessThan(12_100);
      }),
      { numRuns: 50 },
    );
  });

  it('a block is news once in ten minutes, unless it says something else', () => {
    const outbox = emptyOutbox();
    expect(isNews(outbox, 'eu is blocked', 'drift', 0)).toBe(true);
    expect(isNews(outbox, 'eu is blocked', 'drift', 599_999)).toBe(false);
    expect(isNews(outbox, 'eu is blocked', 'drift', 600_000)).toBe(true);
    expect(isNews(outbox, 'eu is blocked', 'more drift', 600_001)).toBe(true);
    outbox.block = null;
    expect(isNews(outbox, 'eu is blocked', 'more drift', 600_002)).toBe(true);
  });
});
