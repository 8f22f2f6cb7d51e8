import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chainOf, entry, verifyRecords } from './fixtures.js';
import { chainRecord, recordHash } from './record.js';
import type { AuditRecord } from './record.js';
import { ChainVerifier, parseHead } from './verify.js';

const kindsOf = (records: readonly AuditRecord[], options = {}): string[] =>
  verifyRecords(records, options).breaks.map(({ kind }) => kind);

const whole = chainOf(Array.from({ length: 12 }, (_, i) => entry(i + 1)));
const at = (seq: number): AuditRecord => {
  const record = whole[seq - 1];
  if (record === undefined) throw new Error(`no record ${seq}`);
  return record;
};
const headOf = (records: readonly AuditRecord[]): { seq: number; hash: string } => {
  const { seq, hash } = records.at(-1) ?? at(1);
  return { seq, hash };
};

describe('a whole chain', () => {
  it('has no break, and its head is its last record', () => {
    expect(verifyRecords(whole)).toEqual({
      ...{ region: 'eu', records: 12, head: headOf(whole), breaks: [], breakCount: 0 },
    });
  });

  it('is whole in part, after the record that the rest is known to follow', () => {
    expect(kindsOf(whole.slice(4), { after: headOf(whole.slice(0, 4)) })).toEqual([]);
    expect(kindsOf(whole.slice(4))).toEqual(['missing']);
  });
});

describe('one change of a chain', () => {
  const place = fc.integer({ min: 1, max: 12 });
  const anchors = [headOf(whole)];

  it('is found: any field of any record', () => {
    const fields = ['at', 'kind', 'key', 'who', 'why', 'subject', 'from', 'to', 'planHash', 'result', 'runId'] as const;
    fc.assert(
      fc.property(place, fc.constantFrom(...fields), fc.string({ minLength: 1 }), (seq, field, value) => {
        fc.pre(at(seq)[field] !== value);
        const changed = whole.map((record) => (record.seq === seq ? { ...record, [field]: value } : record));
        expect(verifyRecords(changed).breaks).toMatchObject([{ kind: 'changed', seq, place: seq }]);
      }),
    );
  });

  it('is found where the record was hashed anew, at the record after it or at the head that somebody kept', () => {
    fc.assert(
      fc.property(place, (seq) => {
        const forged = { ...at(seq), who: 'eve' };
        const records = whole.map((record) => (record.seq === seq ? { ...forged, hash: recordHash(forged) } : record));
        const found = kindsOf(records, { anchors });
        expect(found).toEqual([seq === 12 ? 'changed' : 'unlinked']);
      }),
    );
  });

  it('is found where everything after it was made anew, by the head that somebody kept', () => {
    const forged = whole.slice(0, 3);
    for (const record of whole.slice(3))
      forged.push(chainRecord('eu', headOf(forged), { ...entry(record.seq), who: 'eve' }));
    expect(kindsOf(forged)).toEqual([]);
    expect(kindsOf(forged, { anchors })).toEqual(['changed']);
  });

  it('is found: a record taken out, the last one by the head', () => {
    fc.assert(
      fc.property(place, (seq) => {
        const rest = whole.filter((record) => record.seq !== seq);
        expect(kindsOf(rest, { anchors })).toEqual([seq === 12 ? 'cut-tail' : 'missing']);
      }),
    );
  });

  it('is found: two records that changed places', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        fc.pre(one !== other);
        const swapped = whole.map(({ seq }) => at(seq === one ? other : seq === other ? one : seq));
        expect(kindsOf(swapped)).toContain('reordered');
      }),
    );
  });

  it('is found: a record put in, its own copy too', () => {
    fc.assert(
      fc.property(place, fc.boolean(), (seq, copied) => {
        const before = whole.slice(0, seq);
        const added = copied ? at(seq) : chainRecord('eu', headOf(before), entry(99));
        const found = kindsOf([...before, added, ...whole.slice(seq)], { anchors });
        // After the last one a record that follows it is simply the next.
        if (seq === 12 && !copied) expect(found).toEqual([]);
        else expect(found.length).toBeGreaterThan(0);
      }),
    );
  });

  it('is found: a record of another region', () => {
    const foreign = chainOf([entry(1)], 'us');
    expect(kindsOf([...whole.slice(0, 3), ...foreign, ...whole.slice(3)])).toEqual(['foreign']);
    expect(kindsOf(whole, { region: 'us' })).toEqual(Array.from({ length: 12 }, () => 'foreign'));
  });
});

describe('what is said of breaks', () => {
  it('names each once: what could not be read does not break the link after it', () => {
    const verifier = new ChainVerifier();
    verifier.take(1, at(1));
    verifier.takeUnreadable(2, 'is not JSON');
    verifier.take(3, at(3));
    expect(verifier.finish().breaks).toEqual([{ kind: 'unreadable', place: 2, seq: null, detail: 'is not JSON' }]);
  });

  it('names several, each in its place', () => {
    const changed = { ...at(2), why: 'another' };
    const report = verifyRecords([at(1), changed, at(3), at(6), at(5), at(7)], { anchors: [headOf(whole)] });
    expect(report.breaks.map(({ kind, seq, place }) => [kind, seq, place])).toEqual([
      ['changed', 2, 2],
      ['reordered', 5, 5],
      ['missing', 4, 4],
      ['cut-tail', 12, null],
    ]);
  });

  it('keeps a thousand and counts the rest', () => {
    const verifier = new ChainVerifier();
    for (let line = 1; line <= 1500; line += 1) verifier.takeUnreadable(line, 'is not JSON');
    const { breaks, breakCount } = verifier.finish();
    expect([breaks.length, breakCount]).toEqual([1000, 1500]);
  });

  it('finds a kept head that is no longer on the chain, whichever it is', () => {
    const anchors = [{ seq: 5, hash: 'f'.repeat(64) }, headOf(whole)];
    expect(verifyRecords(whole, { anchors }).breaks).toMatchObject([{ kind: 'changed', seq: 5 }]);
  });
});

describe('parseHead', () => {
  it('takes SEQ:HASH and nothing else', () => {
    expect(parseHead(`12:${'a'.repeat(64)}`)).toEqual({ seq: 12, hash: 'a'.repeat(64) });
    for (const text of ['12', '12:abc', `x:${'a'.repeat(64)}`, '']) expect(parseHead(text)).toBeNull();
  });
});
