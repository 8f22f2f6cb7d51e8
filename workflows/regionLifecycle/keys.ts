import type { MessageName } from './messages.js';
import type { KeyRecord } from './state.js';

/** Key records as continue-as-new hands them on: a few bytes each, in the order in which they were taken. */
export interface PackedKeys {
  names: MessageName[];
  /** `<seconds, base 36> <index in names, base 36><+ accepted, - not, ? under way> <key>` */
  rows: string[];
  /** What the newest were answered; those that found no room are answered without it. */
  details: Record<string, string>;
}

const FLAGS = { accepted: '+', refused: '-', open: '?' } as const;
const ROW = /^([0-9a-z]+) ([0-9a-z]+)([+?-]) (.*)$/s;

export function packKeys(keys: Readonly<Record<string, KeyRecord>>): PackedKeys {
  const names: MessageName[] = [];
  const details: Record<string, string> = {};
  const rows = Object.entries(keys).map(([key, { atMs, name, outcome }]) => {
    if (!names.includes(name)) names.push(name);
    if (outcome !== null && outcome.detail !== '') details[key] = outcome.detail;
    const flag = outcome === null ? FLAGS.open : outcome.accepted ? FLAGS.accepted : FLAGS.refused;
    return `${Math.ceil(atMs / 1000).toString(36)} ${names.indexOf(name).toString(36)}${flag} ${key}`;
  });
  return { names, rows, details };
}

export function unpackKeys({ names, rows, details }: PackedKeys): Record<string, KeyRecord> {
  const keys: Record<string, KeyRecord> = {};
  for (const row of rows) {
    const [, seconds = '', index = '', flag, key = ''] = ROW.exec(row) ?? [];
    const name = names[Number.parseInt(index, 36)];
    if (name === undefined) continue;
    const accepted = flag === FLAGS.accepted;
    const outcome = flag === FLAGS.open ? null : { accepted, detail: details[key] ?? shortOutcome(name, accepted) };
    keys[key] = { atMs: Number.parseInt(seconds, 36) * 1000, name, outcome };
  }
  return keys;
}

function shortOutcome(name: MessageName, accepted: boolean): string {
  return `${name} was ${accepted ? 'carried out' : 'refused'} under this key; in what words is in the audit`;
}
