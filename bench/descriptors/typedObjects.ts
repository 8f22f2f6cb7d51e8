import type { DescField, DescMessage } from '@bufbuild/protobuf';

import { envoyRegistry } from '../../adapters/mesh/envoySchema/registry.js';

export type Mapping = Record<string, unknown>;

export interface TypedObject {
  object: Mapping;
  type: DescMessage;
}

/** Every message of a good configuration with its type, outermost first. */
export function typedObjects(config: Mapping, name: string): TypedObject[] {
  const found: TypedObject[] = [];
  visit(config, envoyRegistry().getMessage(name), found);
  return found;
}

function visit(value: unknown, type: DescMessage | undefined, found: TypedObject[]): void {
  if (type === undefined || !isMapping(value)) return;
  if (type.typeName === 'google.protobuf.Any') {
    const { '@type': url } = value;
    return visit(value, envoyRegistry().getMessage(String(url).split('/').at(-1) ?? ''), found);
  }
  if (type.typeName.startsWith('google.protobuf.')) return;
  found.push({ object: value, type });
  for (const field of type.fields) {
    for (const one of valuesOf(field, value[field.name])) visit(one, field.message ?? undefined, found);
  }
}

function valuesOf(field: DescField, value: unknown): unknown[] {
  if (field.fieldKind === 'list') return Array.isArray(value) ? value : [];
  if (field.fieldKind === 'map') return isMapping(value) ? Object.values(value) : [];
  return [value];
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
