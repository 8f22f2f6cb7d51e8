import { getOption, hasOption, toJson } from '@bufbuild/protobuf';
import type { DescField, Message } from '@bufbuild/protobuf';

import type { Checked } from './scalars.js';
import { durationSeconds } from './scalars.js';
import { envoyRegistry, optionOf } from './registry.js';
import { textChecks } from './textRules.js';

/** One thing that a value must hold, in words that complete "expected …". */
export interface Check {
  expected: string;
  holds: (value: Checked) => boolean;
}

/** What protoc-gen-validate asks of a field, as Envoy's own start-up does. */
export interface FieldRules {
  required: boolean;
  /** What is inside of the message is not looked at. */
  skip: boolean;
  /** A value that is the type's default passes unseen. */
  ignoreEmpty: boolean;
  checks: readonly Check[];
  /** Of a list or a map as a whole: how many it holds. */
  size: readonly Check[];
  unique: boolean;
  items: FieldRules;
  keys: FieldRules;
  values: FieldRules;
}

export type RuleJson = Readonly<Record<string, unknown>>;

export const NO_RULES: FieldRules = {
  required: false,
  skip: false,
  ignoreEmpty: false,
  checks: [],
  size: [],
  unique: false,
  get items() {
    return NO_RULES;
  },
  get keys() {
    return NO_RULES;
  },
  get values() {
    return NO_RULES;
  },
};

export function rulesOf(field: DescField): FieldRules {
  const option = optionOf('validate.rules');
  if (option.message === undefined || !hasOption(field, option)) return NO_RULES;
  const json = toJson(option.message, getOption(field, option) as Message, { registry: envoyRegistry() });
  return fieldRules(json as RuleJson, field.enum ?? undefined);
}

interface EnumNames {
  readonly values: readonly { readonly number: number; readonly name: string }[];
}

function fieldRules(json: RuleJson | undefined, names: EnumNames | undefined): FieldRules {
  if (json === undefined) return NO_RULES;
  const { message, repeated, map, ...typed } = json as Record<string, RuleJson | undefined>;
  const list = repeated ?? {};
  const pairs = map ?? {};
  const [[kind, rule] = ['', undefined]] = Object.entries(typed);
  return {
    required: message?.['required'] === true || rule?.['required'] === true,
    skip: message?.['skip'] === true,
    ignoreEmpty: [rule, repeated, map].some((one) => one?.['ignoreEmpty'] === true),
    checks: rule === undefined ? [] : checksOf(kind, rule, names),
    size: [...atLeast(list['minItems'] ?? pairs['minPairs']), ...atMost(list['maxItems'] ?? pairs['maxPairs'])],
    unique: list['unique'] === true,
    items: fieldRules(list['items'] as RuleJson | undefined, names),
    keys: fieldRules(pairs['keys'] as RuleJson | undefined, undefined),
    values: fieldRules(pairs['values'] as RuleJson | undefined, names),
  };
}

function checksOf(kind: string, rule: RuleJson, names: EnumNames | undefined): Check[] {
  switch (kind) {
    case 'string':
    case 'bytes':
      return textChecks(rule);
    case 'enum':
      return [...enumChecks(rule, names), ...memberChecks(rule, (number) => nameOf(names, Number(number)))];
    case 'duration':
      return [...rangeChecks(rule, durationSeconds, 's'), ...memberChecks(rule, String)];
    case 'bool':
      return memberChecks(rule, String);
    default:
      return [...rangeChecks(rule, Number, ''), ...memberChecks(rule, String)];
  }
}

function rangeChecks(rule: RuleJson, read: (limit: string) => number | undefined, unit: string): Check[] {
  const bound = (key: string, word: string, holds: (value: number, limit: number) => boolean): Check[] => {
    const limit = rule[key] === undefined ? undefined : read(String(rule[key]));
    if (limit === undefined) return [];
    return [{ expected: `${word} ${limit}${unit}`, holds: (value) => holds(Number(value), limit) }];
  };
  // As Envoy asks: for what would break the limit, which no NaN does.
  return [
    ...bound('gt', 'more than', (value, limit) => !(value <= limit)),
    ...bound('gte', 'at least', (value, limit) => !(value < limit)),
    ...bound('lt', 'less than', (value, limit) => !(value >= limit)),
    ...bound('lte', 'at most', (value, limit) => !(value > limit)),
  ];
}

/** `const`, `in` and `not_in`: alike for every kind of value. */
function memberChecks(rule: RuleJson, show: (value: unknown) => string): Check[] {
  const listed = (key: string): string[] | undefined => (rule[key] as unknown[] | undefined)?.map(String);
  const [allowed, refused] = [listed('in'), listed('notIn')];
  const shown = (values: readonly string[]): string => values.map(show).join(', ');
  return [
    ...(rule['const'] === undefined
      ? []
      : [{ expected: show(rule['const']), holds: (value: Checked) => String(value) === String(rule['const']) }]),
    ...(allowed === undefined
      ? []
      : [{ expected: `one of ${shown(allowed)}`, holds: (value: Checked) => allowed.includes(String(value)) }]),
    ...(refused === undefined
      ? []
      : [{ expected: `not ${shown(refused)}`, holds: (value: Checked) => !refused.includes(String(value)) }]),
  ];
}

function enumChecks(rule: RuleJson, names: EnumNames | undefined): Check[] {
  if (rule['definedOnly'] !== true || names === undefined) return [];
  const numbers = new Set(names.values.map((value) => value.number));
  const expected = `one of ${names.values.map((value) => value.name).join(', ')}`;
  return [{ expected, holds: (value) => numbers.has(Number(value)) }];
}

function nameOf(names: EnumNames | undefined, number: number): string {
  return names?.values.find((value) => value.number === number)?.name ?? String(number);
}

function atLeast(limit: unknown): Check[] {
  if (limit === undefined) return [];
  return [{ expected: `at least ${String(limit)} of them`, holds: (size) => Number(size) >= Number(limit) }];
}

function atMost(limit: unknown): Check[] {
  if (limit === undefined) return [];
  return [{ expected: `at most ${String(limit)} of them`, holds: (size) => Number(size) <= Number(limit) }];
}
