import { z } from 'zod';

import type { EventSourceSpec } from './eventSource.js';
import { environmentVariable, httpUrl, label, nonEmpty, text } from './schemaParts.js';

/** One of the two must be there: eventSourceChecks.ts tells it. */
const place = { file: nonEmpty.optional(), url: httpUrl.optional() };
const name = { name: label.optional() };

const pointer = text((v) => v === '' || /^(?:\/(?:[^~/]|~[01])*)+$/.test(v), 'is not a JSON pointer', {
  expected: 'a pointer as /campaign/start (RFC 6901)',
});

/** Where the entries of a JSON document keep the fields of an event. */
const fields = z.strictObject({
  id: pointer.optional(),
  kind: pointer.optional(),
  start: pointer.optional(),
  end: pointer.optional(),
  regions: pointer.optional(),
  services: pointer.optional(),
  uplift: pointer.optional(),
  channel: pointer.optional(),
  budget: pointer.optional(),
});

const countryCode = text((v) => /^[A-Z]{2}$/.test(v), 'is not a country', {
  expected: 'two capital letters of ISO 3166-1, e.g. DE',
});

const variable = environmentVariable('CALENDAR_TOKEN');

export const eventSourceSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('ical'), ...name, ...place }),
    z.strictObject({ kind: z.literal('csv'), ...name, ...place }),
    z.strictObject({
      kind: z.literal('json'),
      ...name,
      ...place,
      list: pointer.optional(),
      fields: fields.default({}),
      eventKind: nonEmpty.optional(),
    }),
    z.strictObject({
      kind: z.literal('holidays'),
      ...name,
      country: countryCode,
      state: nonEmpty.optional(),
      region: nonEmpty.optional(),
      types: z
        .array(z.enum(['public', 'bank', 'school', 'optional', 'observance']))
        .min(1)
        .default(['public']),
      eventKind: nonEmpty.default('holiday'),
    }),
    z.strictObject({
      kind: z.literal('news'),
      ...name,
      ...place,
      eventKind: nonEmpty.default('news'),
      threshold: z.number().gt(1).max(1000).default(2),
      services: z.array(nonEmpty).optional(),
    }),
    z.strictObject({ kind: z.literal('calendar'), ...name, url: httpUrl, tokenVariable: variable.optional() }),
  ],
  { error: 'is not a kind of source that is known: ical, csv, json, holidays, news or calendar' },
) satisfies z.ZodType<EventSourceSpec>;
