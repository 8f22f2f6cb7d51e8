import type { DescEnum, DescField, DescMessage, ScalarType } from '@bufbuild/protobuf';

import { fieldPath } from '../../../core/spec/fieldPath.js';
import { nearestName } from '../../../core/spec/nearest.js';
import type { Problem } from '../../../core/spec/problem.js';
import type { FieldInfo, MessageInfo } from './messageInfo.js';
import { messageInfo } from './messageInfo.js';
import type { FieldRules } from './rules.js';
import type { Checked, Json, ReadValue } from './scalars.js';
import { defaultOf, isMapping, readEnum, readScalar } from './scalars.js';
import { wellKnown } from './wellKnown.js';

export type Path = readonly (string | number)[];

/** What a message, an enum or a scalar is called in the descriptors, whether it stands alone, in a list or in a map. */
export interface ValueType {
  message: DescMessage | undefined;
  enum: DescEnum | undefined;
  scalar: ScalarType | undefined;
}

/** As deep as protobuf's own readers go. */
const DEEPEST = 100;

export class Walk {
  readonly problems: Problem[] = [];

  report(code: string, path: Path, message: string, more: { expected?: string; fix?: string } = {}): void {
    this.problems.push({ code, field: fieldPath(path), message, ...more });
  }

  wrongType(path: Path, value: unknown, expected: string): void {
    this.report('envoy-wrong-type', path, `is ${shown(value)}`, { expected });
  }

  message(type: DescMessage, value: unknown, path: Path, rules: FieldRules): void {
    if (path.length > DEEPEST) {
      this.report('envoy-too-deep', path, 'lies deeper than Envoy reads');
    } else if (!wellKnown(this, type, value, path, rules)) {
      if (isMapping(value)) this.fields(type, value, path);
      else this.wrongType(path, value, `the fields of ${type.typeName}`);
    }
  }

  fields(type: DescMessage, value: Json, path: Path): void {
    const info = messageInfo(type);
    const given = new Set<FieldInfo>();
    for (const [key, item] of Object.entries(value)) {
      const field = info.byName.get(key);
      if (field === undefined) this.unknownField(type, info, key, path);
      else if (item !== null && item !== undefined) this.given(field, given, item, path);
    }
    for (const field of info.watched) if (!given.has(field)) this.absent(field, path);
    this.oneofs(info, given, path);
  }

  private unknownField(type: DescMessage, info: MessageInfo, key: string, path: Path): void {
    const near = nearestName(key, info.names);
    const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
    this.report('envoy-unknown-field', [...path, key], `${type.typeName} has no such field`, fix);
  }

  private given(field: FieldInfo, given: Set<FieldInfo>, item: unknown, path: Path): void {
    const at = [...path, field.name];
    if (given.has(field) && field.desc.oneof !== undefined) {
      this.report('envoy-twice', at, `is there twice, as ${field.name} and ${field.desc.jsonName}`);
    }
    given.add(field);
    if (field.disallowed) this.report('envoy-not-allowed', at, 'is no longer read by Envoy, which refuses it');
    if (field.desc.fieldKind === 'list') this.list(field, item, at);
    else if (field.desc.fieldKind === 'map') this.map(field, item, at);
    else this.value(field.desc, item, at, field.rules);
  }

  private value(type: ValueType, item: unknown, path: Path, rules: FieldRules): void {
    if (type.message !== undefined) this.message(type.message, item, path, rules);
    else if (type.enum !== undefined) this.checked(readEnum(type.enum, item), item, path, rules);
    else if (type.scalar !== undefined) this.checked(readScalar(type.scalar, item), item, path, rules);
  }

  checked(read: ReadValue, item: unknown, path: Path, rules: FieldRules): void {
    if (!read.ok) this.wrongType(path, item, read.expected);
    else if (!(rules.ignoreEmpty && isDefault(read.value))) this.obey(read.value, item, path, rules);
  }

  private obey(value: Checked, item: unknown, path: Path, rules: FieldRules): void {
    const broken = rules.checks.filter((check) => !check.holds(value)).map((check) => check.expected);
    if (broken.length === 0) return;
    this.report('envoy-out-of-range', path, `is ${shown(item)}`, { expected: broken.join(' and ') });
  }

  /** Envoy takes a single item for a list of one, and lists in a list for one list. */
  private list({ desc, rules }: FieldInfo, items: unknown, path: Path): void {
    const list: unknown[] = Array.isArray(items) ? items.flat(DEEPEST) : [items];
    this.size(list.length, path, rules);
    list.forEach((item, i) => {
      if (item !== null) this.value(desc, item, [...path, i], rules.items);
      else if (desc.message !== undefined) this.value(desc, {}, [...path, i], rules.items);
    });
    if (rules.unique && new Set(list.map((item) => JSON.stringify(item))).size < list.length) {
      this.report('envoy-out-of-range', path, 'holds the same value twice', { expected: 'values that differ' });
    }
  }

  private map(field: FieldInfo, items: unknown, path: Path): void {
    if (!isMapping(items)) return this.wrongType(path, items, 'a mapping');
    const entries = Object.entries(items);
    this.size(entries.length, path, field.rules);
    for (const [key, item] of entries) {
      this.checked({ ok: true, value: key }, key, [...path, key], field.rules.keys);
      this.value(field.desc, item, [...path, key], field.rules.values);
    }
  }

  private size(size: number, path: Path, rules: FieldRules): void {
    if (size === 0 && rules.ignoreEmpty) return;
    for (const check of rules.size) {
      if (!check.holds(size)) {
        this.report('envoy-out-of-range', path, `holds ${size}`, { expected: check.expected });
      }
    }
  }

  private absent({ desc, name, rules }: FieldInfo, path: Path): void {
    const broken = rules.required ? ['a value'] : brokenByAbsence(desc, rules);
    if (broken.length === 0) return;
    this.report('envoy-missing', [...path, name], 'is missing', { expected: broken.join(' and ') });
  }

  private oneofs(info: MessageInfo, given: ReadonlySet<FieldInfo>, path: Path): void {
    for (const { fields, required } of info.oneofs) {
      const set = fields.filter((field) => given.has(field)).map((field) => field.name);
      const expected = `one of ${fields.map((field) => field.name).join(', ')}`;
      if (set.length > 1) {
        this.report('envoy-one-of', path, `has ${set.join(' and ')}, which exclude each other`, { expected });
      } else if (required && set.length === 0) {
        this.report('envoy-missing', path, 'has none of its alternatives', { expected });
      }
    }
  }
}

/** What a field that is not there holds is its type's default, and the rules are asked of that. */
function brokenByAbsence(desc: DescField, rules: FieldRules): string[] {
  if (rules.ignoreEmpty) return [];
  const broken = (checks: FieldRules['checks'], value: Checked): string[] =>
    checks.filter((check) => !check.holds(value)).map((check) => check.expected);
  if (desc.fieldKind === 'list' || desc.fieldKind === 'map') return broken(rules.size, 0);
  if (desc.fieldKind === 'message') return [];
  return broken(rules.checks, desc.fieldKind === 'enum' ? 0 : defaultOf(desc.scalar));
}

function isDefault(value: Checked): boolean {
  return value === '' || value === 0 || value === false;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
