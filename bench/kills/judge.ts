import path from 'node:path';
import type { AuditLog } from '../../adapters/audit/port.js';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import { recordsOf, verifyPages } from '../../adapters/audit/stream.js';
import { EffectLog, repeatedOf, sequenceOf } from './effects.js';
import type { End, Lived } from './life.js';
import { isAborted } from './outside.js';

/** What an undisturbed life came to, and did. */
export interface Reference {
  end: End;
  did: readonly string[];
}

/** Compares lives with undisturbed ones, by what they say of themselves and by what is there on disk. */
export class Judge {
  private readonly folder: string;
  private readonly audit: AuditLog;
  private readonly references: Record<'end' | 'abort', Reference>;

  constructor(folder: string, references: Record<'end' | 'abort', { life: string; end: End }>) {
    this.folder = folder;
    this.audit = createSqliteAuditLog(path.join(folder, 'audit.db'), { readOnly: true });
    this.references = { end: this.referenceOf(references.end), abort: this.referenceOf(references.abort) };
  }

  close(): Promise<void> {
    return this.audit.close();
  }

  effectsOf(life: string): number {
    return sequenceOf(this.logOf(life).read()).length;
  }

  async problemsOf(life: string, { end, keys }: Lived): Promise<string[]> {
    const reference = this.references[isAborted(life) ? 'abort' : 'end'];
    const effects = this.logOf(life).read();
    return [
      ...differences('end', reference.end, end),
      ...differences('effects', reference.did, sequenceOf(effects)),
      ...repeatedOf(effects).map((write) => `done twice: ${write}`),
      ...(this.logOf(life).target().hash === end.runs ? [] : ['the target does not run what the region says']),
      ...(await this.messageProblems(life, keys)),
    ];
  }

  private referenceOf({ life, end }: { life: string; end: End }): Reference {
    return { end, did: sequenceOf(this.logOf(life).read()) };
  }

  private logOf(life: string): EffectLog {
    return new EffectLog(path.join(this.folder, 'effects'), life);
  }

  /** Every message once in the audit, whose chain is whole: its sender goes by the message's key. */
  private async messageProblems(life: string, keys: readonly string[]): Promise<string[]> {
    const counts = new Map<string, number>();
    for (const read of await this.audit.read(life)) {
      if (!read.ok) return [`audit: record ${read.place} ${read.detail}`];
      counts.set(read.record.who, (counts.get(read.record.who) ?? 0) + (isMessage(read.record.kind) ? 1 : 0));
    }
    const { breakCount } = await verifyPages(recordsOf(this.audit, life), { region: life });
    return [
      ...(breakCount === 0 ? [] : [`audit: ${breakCount} breaks of the chain`]),
      ...keys.filter((key) => counts.get(key) !== 1).map((key) => `${key}: ${counts.get(key) ?? 0} times in the audit`),
    ];
  }
}

/** A write made for a message, and what came of a plan that was asked for, are noted in the sender's name as well. */
function isMessage(kind: string): boolean {
  return kind !== 'deployed' && kind !== 'replanned';
}

function differences(what: string, wanted: unknown, found: unknown): string[] {
  const [one, other] = [JSON.stringify(wanted), JSON.stringify(found)];
  return one === other ? [] : [`${what}: ${other} instead of ${one}`];
}
