import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AcceptedRegion } from '../../activities/contract.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import { MESSAGE_NAMES } from '../../workflows/regionLifecycle/messages.js';
import type { Message } from './catalogueSchemas.js';
import { acceptSample, samplesOf, verdicts } from './catalogueSchemas.js';

const work = mkdtempSync(path.join(tmpdir(), 'psmg-messages-'));
let accepted: AcceptedRegion;

beforeAll(async () => {
  accepted = await acceptSample(work);
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Of some message; absent they say something by themselves. */
const OPTIONAL: readonly string[] = ['until', 'service', 'class'];

describe('the schemas of messages and the workflow that takes them', () => {
  const judge = (name: MessageName, message: unknown): ReturnType<typeof verdicts> => verdicts(name, message, accepted);

  const broken: readonly [what: string, fields: Message][] = [
    ...['key', 'who', 'why'].flatMap((field): [string, Message][] => [
      [`no ${field}`, { [field]: undefined }],
      [`a blank ${field}`, { [field]: ' \t\u00a0' }],
      [`a number as ${field}`, { [field]: 7 }],
      [`null as ${field}`, { [field]: null }],
      [`too long a ${field}`, { [field]: 'x'.repeat(field === 'key' ? 129 : 1001) }],
    ]),
  ];

  it.each(MESSAGE_NAMES)('refuse the same broken %s', (name) => {
    const neither = { schema: false, parser: false };
    for (const whole of [null, 'freeze', 7, [], true, {}]) expect(judge(name, whole)).toEqual(neither);
    for (const sample of samplesOf(name)) {
      for (const [what, fields] of broken)
        expect([what, judge(name, { ...sample, ...fields })]).toEqual([what, neither]);
      for (const field of Object.keys(sample).filter((key) => !OPTIONAL.includes(key))) {
        expect([field, judge(name, { ...sample, [field]: undefined })]).toEqual([field, neither]);
      }
    }
  });

  it('agree on the ends of the range of every setting', () => {
    const [sample = {}] = samplesOf('override');
    const rules = { ...SETTING_FIELDS, 'weight.eu-central': { unit: 'percent', min: 0, max: 100, integer: false } };
    for (const [field, rule] of Object.entries(rules)) {
      const judged = (value: unknown): unknown => judge('override', { ...sample, address: `checkout.${field}`, value });
      const both = { schema: true, parser: true };
      const neither = { schema: false, parser: false };
      if ('oneOf' in rule && rule.oneOf !== undefined) {
        for (const value of rule.oneOf) expect([field, value, judged(value)]).toEqual([field, value, both]);
        expect([field, judged('BEST'), judged(1)]).toEqual([field, neither, neither]);
        continue;
      }
      const { min = 0, max = 0 } = rule;
      expect([field, judged(min), judged(max)]).toEqual([field, both, both]);
      expect([field, judged(min - 1), judged(max + 1)]).toEqual([field, neither, neither]);
      expect([field, judged(String(min)), judged(null)]).toEqual([field, neither, neither]);
      expect([field, judged(min + 0.5)]).toEqual([field, rule.integer === true ? neither : both]);
    }
  });

  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(' ', '\n', '\ufeff', 'a'), maxLength: 3 }),
    fc.integer({ min: 120, max: 1010 }).map((length) => 'k'.repeat(length)),
  );
  const values = fc.oneof(
    fc.double(),
    fc.integer({ min: -2, max: 120 }),
    fc.constantFrom('ROUND_ROBIN', 'LEAST_REQUEST', '1', true, null),
  );
  const instants = fc.oneof(
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }).map((date) => date.toISOString()),
    fc.stringMatching(/^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(:[0-6]\d(\.\d{1,9})?)?(Z|z|[+-][0-2]\d:?[0-6]\d)?$/),
  );

  function addresses(): fc.Arbitrary<string> {
    const fields = [
      ...Object.keys(SETTING_FIELDS),
      ...[...accepted.regions, 'mars'].map((region) => `weight.${region}`),
      'weight',
      'weight.',
      'toString',
      '',
    ];
    const services = [...accepted.services, 'nobody', ''];
    return fc
      .tuple(fc.constantFrom(...services), fc.constantFrom('.', '..', ''), fc.constantFrom(...fields))
      .map((parts) => parts.join(''));
  }

  function mutated(): fc.Arbitrary<{ name: MessageName; message: Message }> {
    const changes = fc.record(
      {
        key: texts,
        who: texts,
        why: texts,
        address: fc.oneof(addresses(), texts),
        value: values,
        until: fc.oneof(instants, texts, fc.constantFrom(null, 7)),
        to: fc.oneof(texts, values),
        extra: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const dropped = fc.option(fc.constantFrom('key', 'who', 'why', 'address', 'value', 'until', 'to'), { freq: 4 });
    const names = fc.constantFrom(...MESSAGE_NAMES);
    // Mostly fields of the message itself: with one that it does not have, it is refused whatever else it says.
    return fc.tuple(names, fc.nat(), changes, dropped, fc.nat(4)).map(([name, nth, change, drop, foreign]) => {
      const samples = samplesOf(name);
      const own = new Set([...samples.flatMap(Object.keys), ...(name === 'override' ? ['until'] : [])]);
      const message: Message = { ...samples[nth % samples.length], ...change };
      const kept = Object.entries(message).filter(([field]) => field !== drop && (foreign === 0 || own.has(field)));
      return { name, message: Object.fromEntries(kept) };
    });
  }

  it('take the same messages: nothing that validates is refused, and but for odd times nothing else is taken', () => {
    const seen = { taken: 0, refused: 0 };
    const holds = fc.property(mutated(), ({ name, message }) => {
      const { schema, parser } = judge(name, message);
      seen[parser ? 'taken' : 'refused'] += 1;
      if (schema) return parser;
      // `Date.parse` reads more ways to write a time than the schema promises.
      return !parser || judge(name, { ...message, until: undefined }).schema;
    });
    fc.assert(holds, { numRuns: 3000 });
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(300);
  });

  it('take the same times', () => {
    const [sample = {}] = samplesOf('override');
    fc.assert(
      fc.property(instants, (until) => {
        const { schema, parser } = judge('override', { ...sample, until });
        return !schema || parser;
      }),
      { numRuns: 2000 },
    );
    for (const until of ['2030-01-01T00:00:00', 'soon', '2030-13-01T00:00:00Z', '', 7]) {
      expect(judge('override', { ...sample, until })).toEqual({ schema: false, parser: false });
    }
    expect(judge('override', { ...sample, until: null })).toEqual({ schema: true, parser: true });
  });
});
