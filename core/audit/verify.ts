import type { AuditHead, AuditRecord } from './record.js';
import { EMPTY_HEAD, recordHash } from './record.js';

/** Ways in which a chain can be broken. */
export type BreakKind =
  | 'unreadable' // not a record at all
  | 'foreign' // a record of another region
  | 'changed' // its content is not what its hash was made over
  | 'missing' // numbers that no record has
  | 'reordered' // its place is further up
  | 'inserted' // a second record of a number
  | 'unlinked' // it does not follow the one before it
  | 'cut-tail'; // what was known to be there is not

export interface ChainBreak {
  kind: BreakKind;
  /** Where it was met: line of the file, or number in the store, from 1; `null`: known at the end only. */
  place: number | null;
  seq: number | null;
  detail: string;
}

export interface ChainReport {
  region: string | null;
  records: number;
  /** Number and stated hash of the last record in order. */
  head: AuditHead;
  /** The first of them, in the order in which they were met; `breakCount` counts all. */
  breaks: readonly ChainBreak[];
  breakCount: number;
}

export interface VerifyOptions {
  /** Absent: that of the first record. */
  region?: string;
  /** The record before the first one, for a part of a chain; absent: the chain must begin at 1. */
  after?: AuditHead;
  /** Ends of the chain that somebody kept elsewhere; each must be on it. */
  anchors?: readonly AuditHead[];
}

const KEPT_BREAKS = 1000;

interface Gap {
  from: number;
  to: number;
  place: number;
}

/** Verifies one region's chain record by record, in memory that does not grow with it. */
export class ChainVerifier {
  private region: string | null;
  private readonly anchors: Map<number, string[]>;
  private head: AuditHead;
  private place = 0;
  private records = 0;
  /** The record before this one could not be read, or is not there: nothing can be said of the link to it. */
  private unknownBefore = false;
  private gaps: Gap[] = [];
  private readonly breaks: ChainBreak[] = [];
  private breakCount = 0;

  constructor(options: VerifyOptions = {}) {
    this.region = options.region ?? null;
    this.head = options.after ?? EMPTY_HEAD;
    this.anchors = new Map();
    for (const { seq, hash } of options.anchors ?? []) {
      this.anchors.set(seq, [...(this.anchors.get(seq) ?? []), hash]);
    }
  }

  /** Something that is no record; `what` says why. */
  takeUnreadable(place: number, what: string): void {
    this.place = place;
    this.say('unreadable', null, what);
    // It stood for the next number, as far as anybody can tell.
    this.head = { seq: this.head.seq + 1, hash: '' };
    this.unknownBefore = true;
  }

  take(place: number, record: AuditRecord): void {
    this.place = place;
    this.records += 1;
    const { seq } = record;
    this.region ??= record.region;
    if (record.region !== this.region) {
      return this.say('foreign', seq, `is of region "${record.region}", the chain is of "${this.region}"`);
    }
    if (recordHash(record) !== record.hash) this.say('changed', seq, 'its content is not what its hash was made over');
    if (seq > this.head.seq) this.goOn(record);
    else this.takeLate(record);
  }

  finish(): ChainReport {
    for (const { from, to, place } of this.gaps) {
      const which = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
      this.say('missing', from, `${which} not there`, place);
    }
    for (const [seq, hashes] of this.anchors) {
      if (seq <= this.head.seq) continue;
      const known = `record ${seq} was known with hash ${hashes.map((hash) => hash.slice(0, 12)).join(' and ')}`;
      this.say('cut-tail', seq, `${known}; the chain ends at ${this.head.seq}`, null);
    }
    const { region, records, head, breaks, breakCount } = this;
    return { region, records, head, breaks, breakCount };
  }

  private goOn(record: AuditRecord): void {
    const { seq, previous, hash } = record;
    const expected = this.head.seq + 1;
    if (seq > expected) this.gaps.push({ from: expected, to: seq - 1, place: this.place });
    else if (!this.unknownBefore && previous !== this.head.hash) {
      const before = expected === 1 ? 'the beginning' : `record ${expected - 1}`;
      this.say('unlinked', seq, `does not follow ${before} as it is: one of them was changed and hashed anew`);
    }
    this.checkAnchor(record);
    this.head = { seq, hash };
    this.unknownBefore = false;
  }

  /** Its number has gone by: it was moved here, or it is one too many. */
  private takeLate(record: AuditRecord): void {
    const { seq } = record;
    const gap = this.gaps.find(({ from, to }) => from <= seq && seq <= to);
    if (gap === undefined) return this.say('inserted', seq, `a record of number ${seq} came before`);
    this.say('reordered', seq, `its place is before ${gap.place}`);
    this.checkAnchor(record);
    const rest = [
      { ...gap, to: seq - 1 },
      { ...gap, from: seq + 1 },
    ].filter(({ from, to }) => from <= to);
    this.gaps = this.gaps.flatMap((one) => (one === gap ? rest : [one]));
  }

  private checkAnchor({ seq, hash }: AuditRecord): void {
    if (this.anchors.size === 0) return;
    const known = this.anchors.get(seq);
    if (known === undefined || known.every((one) => one === hash)) return;
    this.say('changed', seq, `was known with hash ${known.join(' and ')}`);
  }

  private say(kind: BreakKind, seq: number | null, detail: string, place: number | null = this.place): void {
    this.breakCount += 1;
    if (this.breaks.length < KEPT_BREAKS) this.breaks.push({ kind, place, seq, detail });
  }
}

/** `SEQ:HASH`, as `psmg audit verify` prints it and takes it again; `null` when the text is no head. */
export function parseHead(text: string): AuditHead | null {
  const found = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim());
  return found === null ? null : { seq: Number(found[1]), hash: found[2] ?? '' };
}
