import type { DescField } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';

import { createRandom } from '../../core/forecast/random.js';
import type { Mapping } from './typedObjects.js';
import { isMapping, typedObjects } from './typedObjects.js';

export interface Mutation {
  kind: MutationKind;
  /** What was done, for a person. */
  told: string;
  config: Mapping;
}

/** A place in the configuration that holds a value. */
interface Slot {
  holder: Mapping | unknown[];
  key: string | number;
  value: unknown;
}

interface Draw {
  config: Mapping;
  slots: readonly Slot[];
  pick: <T>(from: readonly T[]) => T | undefined;
}

/** Does it in place and tells it; `undefined` where this configuration has no place for it. */
type Mutator = (draw: Draw) => string | undefined;

const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap';

const set = ({ holder, key }: Slot, value: unknown): string => {
  (holder as Mapping)[key] = value;
  return `${key}: ${JSON.stringify(value)}`;
};

/** Puts one of `values` where `fits` says that it may stand. */
const replace =
  (fits: (value: unknown, key: string | number) => boolean, values: readonly unknown[]): Mutator =>
  ({ slots, pick }) => {
    const slot = pick(slots.filter(({ value, key }) => key !== '@type' && fits(value, key)));
    return slot === undefined ? undefined : set(slot, pick(values.filter((value) => value !== slot.value)));
  };

/** Takes a field of a mapping away and puts it back under another name. */
const rename =
  (change: (key: string) => string, keep = false): Mutator =>
  ({ slots, pick }) => {
    const slot = pick(
      slots.filter(({ key }) => typeof key === 'string' && /^[a-z]\w*_?\w+$/.test(key) && change(key) !== key),
    );
    if (slot === undefined) return undefined;
    if (!keep) delete (slot.holder as Mapping)[slot.key];
    return `${slot.key}, as ${set({ ...slot, key: change(String(slot.key)) }, slot.value)}`.slice(0, 120);
  };

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const isDuration = (value: unknown): boolean => typeof value === 'string' && /^[\d.]+s$/.test(value);
const isText = (value: unknown): boolean => typeof value === 'string' && !isDuration(value);
const isEnum = (value: unknown): boolean => typeof value === 'string' && /^[A-Z][A-Za-z0-9_]+$/.test(value);

export const MUTATORS = {
  'unknown field': rename((key) => `${key.slice(0, -2)}${key.slice(-1)}${key.slice(-2, -1)}`),
  lowerCamelCase: rename(camel),
  'both names of a field': rename(camel, true),
  'value removed': ({ slots, pick }) => {
    const slot = pick(slots);
    if (slot === undefined) return undefined;
    if (Array.isArray(slot.holder)) slot.holder.splice(Number(slot.key), 1);
    else delete slot.holder[slot.key];
    return `${slot.key} removed`;
  },
  'number out of range': replace((value) => typeof value === 'number', [0, -1, 101, 1.5, 4_294_967_296, 1e21]),
  'number of another type': replace(
    (value) => typeof value === 'number',
    ['5', 'five', true, [1], { value: 1 }, '1.5', ''],
  ),
  duration: replace(isDuration, [
    '0s',
    '-1s',
    'abc',
    5,
    '1ms',
    '1',
    '0.0000000001s',
    { seconds: 1 },
    '0.0001s',
    '1e3s',
    '.5s',
    '1.s',
  ]),
  'name of an enum': replace(isEnum, ['NO_SUCH', 'auto', 0, 1, 99, -1, '1', true]),
  boolean: replace((value) => typeof value === 'boolean', ['true', 'yes', 1, 0, {}]),
  text: replace(isText, ['', 5, true, ['a'], { a: 1 }, 'a\nb', 'x'.repeat(300)]),
  list: replace(Array.isArray, [[], {}, 'a', [null], [{}], [[]]]),
  mapping: replace(isMapping, [{}, [], 'a', 1, true]),
  null: replace(() => true, [null]),
  'item doubled': ({ slots, pick }) => {
    const slot = pick(slots.filter(({ value }) => Array.isArray(value) && value.length > 0));
    if (slot === undefined) return undefined;
    (slot.value as unknown[]).push(structuredClone((slot.value as unknown[])[0]));
    return `first of ${slot.key} doubled`;
  },
  'type of an extension': ({ slots, pick }) => {
    const slot = pick(slots.filter(({ key }) => key === '@type'));
    if (slot === undefined) return undefined;
    const name = String(slot.value);
    const other = pick(slots.filter(({ key, value }) => key === '@type' && value !== name))?.value;
    const changed = pick([
      name.replace('v3', 'v4'),
      name.slice(name.indexOf('/') + 1),
      `${name}s`,
      other,
      5,
      '',
      undefined,
    ]);
    if (changed !== undefined) return set(slot, changed);
    delete (slot.holder as Mapping)['@type'];
    return '@type removed';
  },
  'second alternative': ({ config, pick }) => {
    const places = typedObjects(config, BOOTSTRAP).flatMap(({ object, type }) =>
      type.oneofs
        .filter((oneof) => oneof.fields.some((field) => field.name in object))
        .map((oneof) => ({ object, oneof })),
    );
    const place = pick(places);
    const field = pick(place?.oneof.fields.filter((one) => !(one.name in place.object)) ?? []);
    return place === undefined || field === undefined ? undefined : add(place.object, field, pick);
  },
  'field added': ({ config, pick }) => {
    const place = pick(typedObjects(config, BOOTSTRAP));
    const field = pick(
      place?.type.fields.filter((one) => !(one.name in place.object) && one.oneof === undefined) ?? [],
    );
    return place === undefined || field === undefined ? undefined : add(place.object, field, pick);
  },
} satisfies Record<string, Mutator>;

export type MutationKind = keyof typeof MUTATORS;

function add(object: Mapping, field: DescField, pick: Draw['pick']): string {
  return set({ holder: object, key: field.name, value: undefined }, plausible(field, pick));
}

function plausible(field: DescField, pick: Draw['pick']): unknown {
  const one = pick(scalarsOf(field));
  if (field.fieldKind === 'list') return [one];
  return field.fieldKind === 'map' ? { key: one } : one;
}

function scalarsOf(field: DescField): readonly unknown[] {
  if (field.enum) return [field.enum.values.at(-1)?.name, field.enum.values[0]?.name, 77];
  const wrapped = field.message?.typeName ?? '';
  if (wrapped === 'google.protobuf.Duration') return ['1s', '0s', '0.0005s'];
  if (wrapped === 'google.protobuf.BoolValue') return [true, 'true'];
  if (/^google\.protobuf\.\w*Int\d+Value$/.test(wrapped)) return [0, 1, 50, 1000];
  if (field.message) return [{}];
  if (field.scalar === ScalarType.BOOL) return [true, false];
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) return ['', 'abcd', '%%%'];
  return [0, 1, 50, 1000];
}

/** `perKind` mutations of every kind, each of a configuration of its own. The same seed gives the same ones. */
export function mutations(good: Mapping, perKind: number, seed: number): Mutation[] {
  const random = createRandom(seed);
  const pick: Draw['pick'] = (from) => from[Math.floor(random() * from.length)];
  return (Object.entries(MUTATORS) as [MutationKind, Mutator][]).flatMap(([kind, mutate]) =>
    Array.from({ length: perKind }, () => {
      const config = structuredClone(good);
      const told = mutate({ config, slots: slotsOf(config), pick });
      return told === undefined ? [] : [{ kind, told, config }];
    }).flat(),
  );
}

function slotsOf(value: unknown): Slot[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, key) => [{ holder: value, key, value: item }, ...slotsOf(item)]);
  }
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => [{ holder: value, key, value: item }, ...slotsOf(item)]);
}
