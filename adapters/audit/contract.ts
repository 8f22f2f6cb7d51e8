import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { entry } from '../../core/audit/fixtures.js';
import type { ChainReport } from '../../core/audit/verify.js';
import type { AuditLog } from './port.js';
import { AuditUnavailableError } from './port.js';
import { recordsOf, verifyPages } from './stream.js';

export interface AuditUnderTest {
  /** Another view of the same audit each time, as another process would have it. */
  open(): Promise<AuditLog>;
  destroy(): Promise<void>;
}

export async function verifyLog(log: AuditLog, region: string): Promise<ChainReport> {
  return verifyPages(recordsOf(log, region), { region });
}

/** What every audit upholds. */
export function auditLogContract(name: string, create: () => Promise<AuditUnderTest>): void {
  describe(`${name}: the contract of an audit`, () => {
    let outside: AuditUnderTest;
    let log: AuditLog;
    beforeEach(async () => {
      outside = await create();
      log = await outside.open();
    });
    afterEach(async () => {
      await log.close();
      await outside.destroy();
    });

    it('has nothing at first', async () => {
      expect(await log.head('eu')).toBeNull();
      expect(await log.regions()).toEqual([]);
      expect(await log.read('eu')).toEqual([]);
      expect((await log.append('eu', [])).head).toEqual({ seq: 0, hash: '0'.repeat(64) });
    });

    it('appends in order, a chain a region, and gives back what was appended', async () => {
      const first = await log.append('eu', [entry(1), entry(2)]);
      await log.append('us', [entry(1)]);
      const { head, appended } = await log.append('eu', [entry(3, { why: 'ö "quoted"\n\u0000', to: null })]);
      expect([first.appended, appended, head.seq]).toEqual([2, 1, 3]);
      expect(await log.head('eu')).toEqual(head);
      expect(await log.regions()).toEqual(['eu', 'us']);
      const read = await log.read('eu');
      expect(read.map((one) => one.ok && one.record)).toMatchObject([
        entry(1),
        entry(2),
        entry(3, { why: 'ö "quoted"\n\u0000', to: null }),
      ]);
      expect(await verifyLog(log, 'eu')).toMatchObject({ records: 3, head, breakCount: 0 });
    });

    it('reads from anywhere, as much as is wanted', async () => {
      await log.append(
        'eu',
        [1, 2, 3, 4, 5].map((number) => entry(number)),
      );
      expect((await log.read('eu', 2, 3)).map(({ place }) => place)).toEqual([2, 3, 4]);
      expect(await log.read('eu', 6)).toEqual([]);
    });

    it('records a key once, whoever brings it again, and in the same batch too', async () => {
      await log.append('eu', [entry(1), entry(2)]);
      const other = await outside.open();
      const again = await other.append('eu', [entry(2), entry(1), entry(3), entry(3)]);
      expect(again).toMatchObject({ head: { seq: 3 }, appended: 1, conflicts: [] });
      await other.close();
    });

    it('names a key under which something else is recorded, and keeps what is recorded', async () => {
      await log.append('eu', [entry(1)]);
      const { conflicts, appended } = await log.append('eu', [entry(1, { who: 'eve' }), entry(2)]);
      expect([conflicts, appended]).toEqual([[entry(1).key], 1]);
      expect(await log.read('eu', 1, 1)).toMatchObject([{ record: { who: 'ada' } }]);
    });

    it('appends all of a batch or none', async () => {
      const unfit = entry(2, { to: Number.NaN });
      await expect(log.append('eu', [entry(1), unfit])).rejects.toThrow(TypeError);
      expect(await log.head('eu')).toBeNull();
      expect((await log.append('eu', [entry(1)])).head.seq).toBe(1);
    });

    it('keeps everything over a restart, and goes on in the same chain', async () => {
      await log.append('eu', [entry(1)]);
      await log.close();
      log = await outside.open();
      await log.append('eu', [entry(2)]);
      expect(await verifyLog(log, 'eu')).toMatchObject({ records: 2, breakCount: 0 });
    });

    it('takes from several at once', async () => {
      const others = await Promise.all([outside.open(), outside.open(), outside.open()]);
      await Promise.all(
        others.flatMap((other, who) =>
          Array.from({ length: 10 }, (_, i) => other.append('eu', [entry(i, { key: `${who}/${i}` })])),
        ),
      );
      expect(await verifyLog(log, 'eu')).toMatchObject({ records: 30, head: { seq: 30 }, breakCount: 0 });
      await Promise.all(others.map((other) => other.close()));
    });

    it('says that it is closed', async () => {
      const closed = await outside.open();
      await closed.close();
      await closed.close();
      await expect(closed.append('eu', [entry(1)])).rejects.toThrow(AuditUnavailableError);
    });
  });
}
