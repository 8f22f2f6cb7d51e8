import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';

import { nearestName } from '../../../core/spec/nearest.js';
import { envoyRegistry } from './registry.js';
import type { FieldRules } from './rules.js';
import { NO_RULES } from './rules.js';
import { defaultOf, isMapping, readDuration, readScalar } from './scalars.js';
import type { Path, Walk } from './walk.js';

type Reader = (walk: Walk, value: unknown, path: Path, rules: FieldRules, type: DescMessage) => void;

const anything: Reader = () => undefined;

const mapping: Reader = (walk, value, path) => {
  if (!isMapping(value)) walk.wrongType(path, value, 'a mapping');
};

const list: Reader = (walk, value, path) => {
  if (!Array.isArray(value)) walk.wrongType(path, value, 'a list');
};

/** Written as text, or as its two fields, which Envoy reads too. */
const duration: Reader = (walk, value, path, rules, type) => {
  if (!isMapping(value)) return walk.checked(readDuration(value), value, path, rules);
  walk.fields(type, value, path);
  const seconds = readScalar(ScalarType.INT64, value['seconds'] ?? 0);
  const nanos = readScalar(ScalarType.INT32, value['nanos'] ?? 0);
  if (!seconds.ok || !nanos.ok) return;
  walk.checked({ ok: true, value: Number(seconds.value) + Number(nanos.value) / 1e9 }, value, path, rules);
};

/** A scalar that may be absent: written as itself, or as a mapping with its value. */
const wrapper: Reader = (walk, value, path, rules, type) => {
  const scalar = type.fields[0]?.scalar;
  if (scalar === undefined) return;
  const read = readScalar(scalar, isMapping(value) ? (value['value'] ?? defaultOf(scalar)) : value);
  if (isMapping(value)) walk.fields(type, value, path);
  if (read.ok || !isMapping(value)) walk.checked(read, value, path, rules);
};

const timestamp: Reader = (walk, value, path) => {
  const text = typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value);
  if (!text) walk.wrongType(path, value, 'an instant such as "2026-01-31T12:00:00Z"');
};

const fieldMask: Reader = (walk, value, path) => {
  if (typeof value !== 'string') walk.wrongType(path, value, 'names of fields, with commas between');
};

/** What is written in another way than as its fields. */
const READERS: Readonly<Record<string, Reader>> = {
  'google.protobuf.Any': any,
  'google.protobuf.Duration': duration,
  'google.protobuf.Timestamp': timestamp,
  'google.protobuf.FieldMask': fieldMask,
  'google.protobuf.Struct': mapping,
  'google.protobuf.ListValue': list,
  'google.protobuf.Value': anything,
};

const TYPED_STRUCTS = ['xds.type.v3.TypedStruct', 'udpa.type.v1.TypedStruct'];

/** True when the message is one of those that JSON writes in a way of their own; it has been checked then. */
export function wellKnown(walk: Walk, type: DescMessage, value: unknown, path: Path, rules: FieldRules): boolean {
  const reader = readerOf(type);
  reader?.(walk, value, path, rules, type);
  return reader !== undefined;
}

function readerOf(type: DescMessage): Reader | undefined {
  return isWrapperDesc(type) ? wrapper : READERS[type.typeName];
}

function any(walk: Walk, value: unknown, path: Path): void {
  if (!isMapping(value)) return walk.wrongType(path, value, 'a mapping with "@type"');
  const { '@type': url, ...fields } = value;
  if (url === undefined) {
    if (Object.keys(fields).length > 0)
      walk.report('envoy-missing', [...path, '@type'], 'is missing', { expected: 'a type' });
    return;
  }
  const type = typeNamed(walk, url, [...path, '@type']);
  if (type === undefined) return;
  if (readerOf(type) !== undefined) {
    walk.message(type, fields['value'], [...path, 'value'], NO_RULES);
    return;
  }
  walk.message(type, fields, path, NO_RULES);
  if (TYPED_STRUCTS.includes(type.typeName)) typedStruct(walk, fields, path);
}

/** A configuration without its type in JSON: the type is named beside it. */
function typedStruct(walk: Walk, fields: Readonly<Record<string, unknown>>, path: Path): void {
  const type = typeNamed(walk, fields['type_url'] ?? fields['typeUrl'], [...path, 'type_url']);
  if (type !== undefined) walk.message(type, fields['value'] ?? {}, [...path, 'value'], NO_RULES);
}

function typeNamed(walk: Walk, url: unknown, path: Path): DescMessage | undefined {
  if (typeof url !== 'string' || !/.\/[\w.]+$/.test(url)) {
    walk.wrongType(path, url, 'type.googleapis.com/ and the name of a message');
    return undefined;
  }
  const name = url.slice(url.lastIndexOf('/') + 1);
  const type = envoyRegistry().getMessage(name);
  if (type === undefined && isEnvoys(name)) {
    const near = nearestName(name, messageNames());
    const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
    walk.report('envoy-unknown-type', path, `there is no message ${name}`, fix);
  }
  return type;
}

/** Extensions of other builds have names of their own, or are marked as not yet settled: the proxy itself must judge. */
function isEnvoys(name: string): boolean {
  return name.startsWith('envoy.') && !/\.v\d+(alpha|beta)\d*\./.test(name);
}

function messageNames(): string[] {
  return [...envoyRegistry()].filter((desc) => desc.kind === 'message').map((desc) => desc.typeName);
}
