import type { Check, RuleJson } from './rules.js';

/**
 * Rules of strings and of bytes; bytes come as a string of one character a byte. `email`, `hostname`, `uri` and the
 * like are left to Envoy: none of its messages that a configuration holds asks for them.
 */
export function textChecks(rule: RuleJson): Check[] {
  const text = (key: string): string | undefined => (typeof rule[key] === 'string' ? rule[key] : undefined);
  const number = (key: string): number | undefined => (rule[key] === undefined ? undefined : Number(rule[key]));
  const members = (key: string): readonly string[] | undefined => rule[key] as readonly string[] | undefined;
  const checks: Check[] = [];
  const add = <T>(
    limit: T | undefined,
    expected: (limit: T) => string,
    holds: (s: string, limit: T) => boolean,
  ): void => {
    if (limit !== undefined) checks.push({ expected: expected(limit), holds: (value) => holds(String(value), limit) });
  };
  const least = (unit: string) => (limit: number) =>
    limit === 1 ? 'a text that is not empty' : `${limit} ${unit} at least`;
  const most = (unit: string) => (limit: number) => `${limit} ${unit} at most`;
  add(text('const'), JSON.stringify, (s, limit) => s === limit);
  add(
    number('len'),
    (limit) => `${limit} characters`,
    (s, limit) => [...s].length === limit,
  );
  add(number('minLen'), least('characters'), (s, limit) => [...s].length >= limit);
  add(number('maxLen'), most('characters'), (s, limit) => [...s].length <= limit);
  add(number('minBytes'), least('bytes'), (s, limit) => Buffer.byteLength(s) >= limit);
  add(number('maxBytes'), most('bytes'), (s, limit) => Buffer.byteLength(s) <= limit);
  add(
    text('prefix'),
    (limit) => `${JSON.stringify(limit)} at its beginning`,
    (s, limit) => s.startsWith(limit),
  );
  add(
    text('suffix'),
    (limit) => `${JSON.stringify(limit)} at its end`,
    (s, limit) => s.endsWith(limit),
  );
  add(
    text('contains'),
    (limit) => `${JSON.stringify(limit)} in it`,
    (s, limit) => s.includes(limit),
  );
  add(
    text('notContains'),
    (limit) => `no ${JSON.stringify(limit)} in it`,
    (s, limit) => !s.includes(limit),
  );
  add(
    members('in'),
    (limit) => `one of ${limit.join(', ')}`,
    (s, limit) => limit.includes(s),
  );
  add(
    members('notIn'),
    (limit) => `not ${limit.join(', ')}`,
    (s, limit) => !limit.includes(s),
  );
  add(
    expression(text('pattern')),
    (limit) => `what ${String(limit)} matches`,
    (s, limit) => limit.test(s),
  );
  const refusedCode = headerRule(text('wellKnownRegex'), rule['strict'] !== false);
  add(
    refusedCode,
    () => 'what a header may hold',
    (s, limit) => !limit(s),
  );
  return checks;
}

/** RE2 and JavaScript agree on what Envoy's patterns use. One that JavaScript cannot read is left to Envoy. */
function expression(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

/**
 * The two kinds of text that protoc-gen-validate knows by name, each as what refuses it. Not strict, only what would end
 * a header's line is refused.
 */
function headerRule(name: string | undefined, strict: boolean): ((text: string) => boolean) | undefined {
  if (name === undefined) return undefined;
  if (!strict) return (text) => hasCode(text, (code) => code === 0 || code === 10 || code === 13);
  if (name === 'HTTP_HEADER_NAME') return (text) => !/^:?[0-9a-zA-Z!#$%&'*+-.^_|~`]+$/.test(text);
  return (text) => hasCode(text, (code) => code <= 8 || (code >= 10 && code <= 31) || code === 127);
}

function hasCode(text: string, refused: (code: number) => boolean): boolean {
  return [...text].some((character) => refused(character.codePointAt(0) ?? 0));
}
