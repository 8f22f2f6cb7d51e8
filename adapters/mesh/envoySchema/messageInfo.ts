import { getOption, hasOption } from '@bufbuild/protobuf';
import type { AnyDesc, DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';

import { optionOf } from './registry.js';
import type { FieldRules } from './rules.js';
import { NO_RULES, rulesOf } from './rules.js';

export interface FieldInfo {
  desc: DescField;
  /** As Envoy's documentation has it: snake_case. */
  name: string;
  rules: FieldRules;
  /** Envoy refuses it unless a runtime key says otherwise. */
  disallowed: boolean;
}

export interface MessageInfo {
  /** By both of its names: `route_config` and `routeConfig`. */
  byName: ReadonlyMap<string, FieldInfo>;
  names: readonly string[];
  /** Fields whose absence is told: required ones, and those whose default breaks a rule. */
  watched: readonly FieldInfo[];
  oneofs: readonly { fields: readonly FieldInfo[]; required: boolean }[];
}

const known = new WeakMap<DescMessage, MessageInfo>();

export function messageInfo(message: DescMessage): MessageInfo {
  const found = known.get(message);
  if (found !== undefined) return found;
  const made = makeInfo(message);
  known.set(message, made);
  return made;
}

function makeInfo(message: DescMessage): MessageInfo {
  const ruled = !isSet(message, 'validate.disabled') && !isSet(message, 'validate.ignored');
  const fields = message.fields.map((desc) => ({
    desc,
    name: desc.name,
    rules: ruled ? rulesOf(desc) : NO_RULES,
    disallowed: isSet(desc, 'envoy.annotations.disallowed_by_default'),
  }));
  const ofOneof = (oneof: DescOneof): FieldInfo[] => fields.filter((field) => field.desc.oneof === oneof);
  return {
    byName: new Map(fields.flatMap((field) => [[field.name, field] as const, [field.desc.jsonName, field] as const])),
    names: fields.map((field) => field.name),
    watched: fields.filter((field) => field.rules !== NO_RULES && !isOptional(field.desc)),
    oneofs: message.oneofs.map((oneof) => ({
      fields: ofOneof(oneof),
      required: ruled && isSet(oneof, 'validate.required'),
    })),
  };
}

/** A scalar that can be told to be absent is not looked at when it is; neither is one of several. */
function isOptional(field: DescField): boolean {
  if (field.oneof !== undefined) return true;
  const plain = field.fieldKind === 'scalar' || field.fieldKind === 'enum';
  return plain && field.presence !== FeatureSet_FieldPresence.IMPLICIT;
}

function isSet(desc: AnyDesc, name: string): boolean {
  const option = optionOf(name);
  return hasOption(desc, option) && getOption(desc, option) === true;
}
