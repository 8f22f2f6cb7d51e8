import type { Chance } from '../campaigns/fuzzChance.js';

type Mutation = (text: string, chance: Chance) => string;

const NUMBERS = [
  '-1',
  '0',
  'NaN',
  'Infinity',
  '1e400',
  '1e308',
  '-1e308',
  '1e-320',
  '9'.repeat(400),
  '0x10',
  '1_000',
  '.5',
  '01',
] as const;
const WORDS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\u0000',
  '\uD800',
  '💥',
  'ﷺ',
  'a\u202Eb',
  '"',
  '\\',
  '\n',
  '${x',
  '<<',
  '&a *a',
  ' ',
  'null',
  '~',
  'x'.repeat(5000),
] as const;
const VALUES = ['null', '[]', '{}', '""', 'true', '[[]]', '{"a":{"a":{}}}', '[null]', '-0', '"\\ud800"'] as const;

/** Puts `make` in the place of one match, drawn among all. */
function replaceOne(text: string, pattern: RegExp, chance: Chance, make: (found: string) => string): string {
  const found = [...text.matchAll(pattern)];
  const one = found[chance.whole(Math.max(1, found.length))];
  if (one === undefined) return text;
  return text.slice(0, one.index) + make(one[0]) + text.slice(one.index + one[0].length);
}

function onLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split('\n');
  change(lines);
  return lines.join('\n');
}

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  (text, chance) => text.slice(0, chance.whole(text.length + 1)),
  (text, chance) => text.slice(chance.whole(text.length + 1)),
  (text, chance) => replaceOne(text, /-?\d+(\.\d+)?/g, chance, () => chance.of(NUMBERS)),
  (text, chance) => replaceOne(text, /-?\d+(\.\d+)?/g, chance, () => chance.of(VALUES)),
  (text, chance) => replaceOne(text, /[A-Za-z_][\w-]*/g, chance, () => chance.of(WORDS)),
  (text, chance) => replaceOne(text, /"[^"\n]*"/g, chance, () => JSON.stringify(chance.of(WORDS))),
  (text, chance) => replaceOne(text, /"[^"\n]*"(?!\s*:)/g, chance, () => chance.of(VALUES)),
  (text, chance) => replaceOne(text, /"[^"\n]*"(?!\s*:)/g, chance, () => chance.of(NUMBERS)),
  // A key twice, and one that is missing.
  (text, chance) => replaceOne(text, /"\w+"\s*:\s*("[^"]*"|\d+),/g, chance, (pair) => pair + pair),
  (text, chance) => replaceOne(text, /"\w+"\s*:\s*("[^"]*"|\d+),?/g, chance, () => ''),
  (text, chance) => replaceOne(text, /[{}[\]:,"']/g, chance, () => ''),
  (text, chance) => replaceOne(text, /[{}[\]:,"'\s]/g, chance, (found) => found + found),
  (text, chance) => onLines(text, (lines) => lines.splice(chance.whole(lines.length), 1)),
  (text, chance) =>
    onLines(text, (lines) => lines.splice(chance.whole(lines.length), 0, lines[chance.whole(lines.length)] ?? '')),
  (text, chance) =>
    onLines(text, (lines) =>
      lines.splice(chance.whole(lines.length), 0, ' '.repeat(chance.whole(9)) + chance.of(WORDS)),
    ),
  (text, chance) => onLines(text, (lines) => lines.sort(() => chance.share() - 0.5)),
  // All ids of one kind the same: spans that are their own parents, and worse.
  (text, chance) => {
    const key = chance.of(['spanId', 'parentSpanId', 'traceId', 'source', 'target', 'parent', 'caller', 'id']);
    return text.replace(new RegExp(`("?${key}"?\\s*:\\s*)"?[\\w>:-]+"?`, 'g'), `$1"000000000000000${chance.whole(3)}"`);
  },
  (text, chance) => text.replaceAll(/\bservice-\d+/g, () => `service-${chance.whole(3)}`),
  (text, chance) => {
    const at = chance.whole(text.length + 1);
    const depth = chance.of([10, 1000, 100_000]);
    const open = chance.of(['[', '{"a":', '{a: ', '- ', '? ', '  '] as const);
    return text.slice(0, at) + open.repeat(depth) + text.slice(at);
  },
  (text, chance) => {
    const at = chance.whole(text.length + 1);
    const bytes = Array.from({ length: 1 + chance.whole(40) }, () => String.fromCharCode(chance.whole(256)));
    return text.slice(0, at) + bytes.join('') + text.slice(at + chance.whole(20));
  },
  (text) => `\uFEFF${text}`,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text + text,
  (text) =>
    `a: &a [x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c]\n${text}`,
  (_, chance) =>
    chance.of([
      '',
      ' ',
      '[]',
      '{}',
      'null',
      '0',
      '"x"',
      '---',
      '- ',
      '{',
      '\u0000',
      '{"data":[]}',
      '{"resourceSpans":[]}',
    ]),
];

/** One to four faults in a text: cut short, types and numbers that cannot be, names that mean something else, bytes. */
export function mutate(text: string, chance: Chance): string {
  let mutated = text;
  for (let i = chance.of([1, 1, 1, 2, 3, 4]); i > 0; i--) mutated = chance.of(MUTATIONS)(mutated, chance);
  return mutated;
}
