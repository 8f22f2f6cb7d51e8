import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fluxOfQuery, quoted } from './flux.js';
import { influxqlOfQuery } from './influxql.js';

/** Reads a Flux string literal; fails where it ends early or would put a value in. */
function unquoted(literal: string): string {
  expect(literal).toMatch(/^"(?:[^"\\$\n]|\\x[0-9a-f]{2})*"$/u);
  return literal.slice(1, -1).replace(/\\x(..)/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

describe('a question', () => {
  it('holds any text as a literal that cannot be left', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '$', '{', '}', '\n', '\t', ')', '🙂') });
    fc.assert(fc.property(text, (any) => expect(unquoted(quoted(any))).toBe(any)));
  });

  it('has every filter before the window, in Flux', () => {
    const tags = { region: 'e"u', service: '${x}' };
    const query = { measurement: 'service', tags, fields: ['rps', 'p99Ms'], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    expect(fluxOfQuery('b', { ...query, aggregate: { everyMs: 60_000, by: 'mean' } }).split('\n')).toEqual([
      'from(bucket: "b")',
      '  |> range(start: time(v: 0), stop: time(v: 9223372036854000000))',
      '  |> filter(fn: (r) => r["_measurement"] == "service" and r["region"] == "e\\x22u" and r["service"] == "\\x24{x}" and (r["_field"] == "rps" or r["_field"] == "p99Ms"))',
      '  |> aggregateWindow(every: 60000ms, fn: mean, timeSrc: "_start", createEmpty: false)',
      '  |> drop(columns: ["_start", "_stop", "_measurement"])',
    ]);
  });

  it('lists rows wide, in InfluxQL', () => {
    const query = { measurement: 'a"b', tags: { service: "it's\\" }, fromMs: 0.5, toMs: 2000 };
    expect(influxqlOfQuery(query)).toBe(
      `SELECT *::field FROM "a\\"b" WHERE "service"::tag = 'it\\'s\\\\' AND time >= 1ms AND time < 2000ms GROUP BY *`,
    );
    expect(influxqlOfQuery({ ...query, tags: {}, fields: ['rps'] })).toContain('SELECT "rps"::field FROM');
  });
});
