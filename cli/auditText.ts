import type { AuditRecord, AuditValue } from '../core/audit/record.js';
import type { ChainReport } from '../core/audit/verify.js';

/** One line: when, what, by whom, of what, from → to, result, why. */
export function auditLine(record: AuditRecord): string {
  const { seq, at, kind, who, subject, from, to, result, why } = record;
  const moved = from === null && to === null ? '' : ` ${textOf(from)} → ${textOf(to)}`;
  const came = result === null ? '' : ` · ${textOf(result)}`;
  return `${seq}  ${at}  ${kind}  ${who}  ${subject}${moved}${came} · ${why}`.replaceAll('\n', ' ');
}

export function reportText(report: ChainReport): string {
  const { region, records, head, breaks, breakCount } = report;
  const name = region ?? 'no region';
  if (records === 0 && breakCount === 0) return `${name}: nothing is recorded\n`;
  if (breakCount === 0) return `${name}: ${records} records, whole · ends at ${head.seq}:${head.hash}\n`;
  const lines = breaks.map(({ kind, place, seq, detail }) => {
    const where = [...(place === null ? [] : [`at ${place}`]), ...(seq === null ? [] : [`record ${seq}`])].join(', ');
    return `  ${kind} (${where}): ${detail}`;
  });
  const more = breakCount > breaks.length ? [`  and ${breakCount - breaks.length} more`] : [];
  const count = breakCount === 1 ? '1 break' : `${breakCount} breaks`;
  return `${[`${name}: ${count} in ${records} records`, ...lines, ...more].join('\n')}\n`;
}

function textOf(value: AuditValue): string {
  if (value === null) return '–';
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value;
  return JSON.stringify(value);
}
