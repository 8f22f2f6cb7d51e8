import type { SettingFieldInfo } from '../../core/spec/settings.js';
import { isUndecodable } from './payloadConverter.js';
import type { MessageInputs, MessageName } from '../regionLifecycle/messages.js';

/** What a message may name; from `acceptRegion`, so that it is in history. */
export interface MessageRules {
  services: readonly string[];
  regions: readonly string[];
  settingRules: Readonly<Record<string, SettingFieldInfo>>;
}

export type Parsed<T> = { ok: true; message: T } | { ok: false; reason: string };

const MAX_TEXT = 1000;
const MAX_KEY = 128;

/** Checks a raw message whole and names every problem in one reason. Synchronous: an async validator never rejects. */
export function parseMessage<N extends MessageName>(
  name: N,
  raw: unknown,
  rules: MessageRules,
): Parsed<MessageInputs[N]> {
  if (isUndecodable(raw))
    return { ok: false, reason: `payload is not decodable (encoding ${raw.encoding}): ${raw.reason}` };
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { ok: false, reason: `${name} expects a JSON object with key, who and why` };
  }
  const fields = raw as Record<string, unknown>;
  const problems = [
    ...textProblems(fields, 'key', MAX_KEY),
    ...textProblems(fields, 'who', MAX_TEXT),
    ...textProblems(fields, 'why', MAX_TEXT),
    ...PROBLEMS_OF[name](fields, rules),
    ...unknownFields(name, fields),
  ];
  if (problems.length > 0) return { ok: false, reason: problems.join('; ') };
  return { ok: true, message: raw as MessageInputs[N] };
}

const OWN_FIELDS: Readonly<Record<MessageName, readonly string[]>> = {
  override: ['address', 'value', 'until'],
  'clear-override': ['address'],
  freeze: [],
  resume: [],
  rollback: ['to'],
  retry: [],
  skip: [],
  abort: [],
  replan: [],
  approve: ['planHash'],
  reject: ['planHash'],
  drain: [],
  release: [],
  retire: [],
  'set-autonomy': ['level', 'service', 'class'],
  'take-over': [],
  'hand-back': [],
  'continue-as-new': [],
  repair: ['field', 'value'],
};

/** A misspelt `until` would make an override that never ends. */
function unknownFields(name: MessageName, fields: Record<string, unknown>): string[] {
  const known = ['key', 'who', 'why', ...OWN_FIELDS[name]];
  const unknown = Object.keys(fields).filter((field) => !known.includes(field));
  return unknown.map((field) => `${name} has no field "${field.slice(0, MAX_KEY)}" (one of ${known.join(', ')})`);
}

type ProblemsOf = (fields: Record<string, unknown>, rules: MessageRules) => string[];

const none: ProblemsOf = () => [];

const PROBLEMS_OF: Readonly<Record<MessageName, ProblemsOf>> = {
  override: (fields, rules) => [
    ...addressProblems(fields, rules),
    ...valueProblems(fields, rules),
    ...untilProblems(fields),
  ],
  'clear-override': (fields, rules) => addressProblems(fields, rules),
  freeze: none,
  resume: none,
  rollback: (fields) => textProblems(fields, 'to', MAX_KEY),
  retry: none,
  skip: none,
  abort: none,
  replan: none,
  approve: (fields) => textProblems(fields, 'planHash', MAX_KEY),
  reject: (fields) => textProblems(fields, 'planHash', MAX_KEY),
  drain: none,
  release: none,
  retire: none,
  'set-autonomy': (fields, rules) => [
    ...levelProblems(fields),
    ...serviceProblems(fields, rules),
    ...classProblems(fields, rules),
  ],
  'take-over': none,
  'hand-back': none,
  'continue-as-new': none,
  repair: (fields) => [...repairFieldProblems(fields), ...repairValueProblems(fields)],
};

export function textProblems(fields: Record<string, unknown>, field: string, max: number): string[] {
  const value = fields[field];
  if (typeof value !== 'string' || value.trim() === '') return [`${field} must be a non-empty string`];
  return value.length > max ? [`${field} is longer than ${max} characters`] : [];
}

export interface Address {
  service: string;
  field: string;
}

/** Splits `checkout.rateLimit.rps` into service and field; service names hold no dot. */
export function splitAddress(address: string): Address {
  const dot = address.indexOf('.');
  return { service: address.slice(0, dot), field: address.slice(dot + 1) };
}

function ruleOf(field: string, rules: MessageRules): SettingFieldInfo | undefined {
  if (field.startsWith('weight.')) {
    return rules.regions.includes(field.slice('weight.'.length)) ? { unit: 'percent', min: 0, max: 100 } : undefined;
  }
  return Object.hasOwn(rules.settingRules, field) ? rules.settingRules[field] : undefined;
}

function addressProblems(fields: Record<string, unknown>, rules: MessageRules): string[] {
  const address = fields['address'];
  if (typeof address !== 'string' || !address.includes('.')) return ['address must be `<service>.<field>`'];
  const { service, field } = splitAddress(address);
  const problems: string[] = [];
  if (!rules.services.includes(service)) {
    problems.push(`address names no service of the region: "${service}" (one of ${rules.services.join(', ')})`);
  }
  if (ruleOf(field, rules) === undefined) {
    const weights = rules.regions.map((region) => `weight.${region}`);
    problems.push(
      `address names no setting: "${field}" (one of ${[...Object.keys(rules.settingRules), ...weights].join(', ')})`,
    );
  }
  return problems;
}

function valueProblems(fields: Record<string, unknown>, rules: MessageRules): string[] {
  const address = fields['address'];
  if (typeof address !== 'string') return [];
  const rule = ruleOf(splitAddress(address).field, rules);
  return rule === undefined ? [] : settingValueProblems(fields['value'], rule);
}

function settingValueProblems(value: unknown, rule: SettingFieldInfo): string[] {
  if (rule.oneOf !== undefined) {
    return rule.oneOf.includes(value as string) ? [] : [`value must be one of ${rule.oneOf.join(', ')}`];
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return [`value must be a number (${rule.unit})`];
  const problems: string[] = [];
  if (rule.integer === true && !Number.isInteger(value)) problems.push('value must be a whole number');
  if (rule.min !== undefined && value < rule.min) problems.push(`value must be at least ${rule.min} ${rule.unit}`);
  if (rule.max !== undefined && value > rule.max) problems.push(`value must be at most ${rule.max} ${rule.unit}`);
  return problems;
}

const ZONED = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/;

function untilProblems(fields: Record<string, unknown>): string[] {
  const until = fields['until'];
  if (until === undefined || until === null) return [];
  if (typeof until !== 'string' || !ZONED.test(until) || Number.isNaN(Date.parse(until))) {
    return ['until must be ISO 8601 with a zone, e.g. 2030-01-01T00:00:00Z'];
  }
  return [];
}

const LEVELS: readonly unknown[] = ['observe', 'suggest', 'approve', 'act'];

function levelProblems(fields: Record<string, unknown>): string[] {
  return LEVELS.includes(fields['level']) ? [] : [`level must be one of ${LEVELS.join(', ')}`];
}

function serviceProblems(fields: Record<string, unknown>, rules: MessageRules): string[] {
  const service = fields['service'];
  if (service === undefined) return [];
  const known = typeof service === 'string' && rules.services.includes(service);
  return known ? [] : [`service names no service of the region (one of ${rules.services.join(', ')})`];
}

/** A class of settings is what stands before the first dot of their names. */
export function classOf(field: string): string {
  return field.split('.', 1)[0] ?? field;
}

function classProblems(fields: Record<string, unknown>, rules: MessageRules): string[] {
  const given = fields['class'];
  if (given === undefined) return [];
  const classes = [...new Set([...Object.keys(rules.settingRules).map(classOf), 'weight'])];
  return typeof given === 'string' && classes.includes(given)
    ? []
    : [`class names no class of settings (one of ${classes.join(', ')})`];
}

const REPAIRS: readonly unknown[] = ['current-hash', 'epoch', 'blocked', 'tuner'];

function repairFieldProblems(fields: Record<string, unknown>): string[] {
  return REPAIRS.includes(fields['field']) ? [] : [`field must be one of ${REPAIRS.join(', ')}`];
}

function repairValueProblems(fields: Record<string, unknown>): string[] {
  const value = fields['value'];
  const fits = fields['field'] === 'epoch' ? Number.isSafeInteger(value) && Number(value) > 0 : isHashOrNone(value);
  return fits ? [] : ['value must be a whole number above 0 for epoch, a hash or "none" for the rest'];
}

function isHashOrNone(value: unknown): boolean {
  return typeof value === 'string' && (value === 'none' || /^[0-9a-f]{64}$/.test(value));
}
