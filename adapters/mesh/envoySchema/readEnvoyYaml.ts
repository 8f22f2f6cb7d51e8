import { parseDocument } from 'yaml';
import type { ScalarTag } from 'yaml';

import type { Problem } from '../../../core/spec/problem.js';
import { ok, refused } from '../../../core/spec/problem.js';
import type { Result } from '../../../core/spec/problem.js';

const anyCase = (...words: string[]): RegExp =>
  new RegExp(`^(?:${words.flatMap((w) => [w, w.toUpperCase(), w[0]?.toUpperCase() + w.slice(1)]).join('|')})$`);

const YES = anyCase('y', 'yes', 'true', 'on');

/** What Envoy makes of a scalar without quotes: nothing, a truth value (`no` and `off` are one), a whole number, a text. */
const SCALARS: ScalarTag[] = [
  { tag: 'tag:yaml.org,2002:null', default: true, test: /^(?:~|null|Null|NULL|)$/, resolve: () => null },
  {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test: anyCase('y', 'yes', 'true', 'on', 'n', 'no', 'false', 'off'),
    resolve: (text) => YES.test(text),
  },
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^[+-]?(?:0x[\da-fA-F]+|0[0-7]*|[1-9]\d{0,17})$/,
    resolve: wholeNumber,
  },
];

/** A zero in front makes it octal. */
function wholeNumber(text: string): number {
  const [digits = '', sign] = [text.replace(/^[+-]/, ''), text.startsWith('-') ? -1 : 1];
  return sign * (/^0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits));
}

/** Reads a configuration as Envoy itself does, which is not what YAML 1.2 says: `name: no` is no text there. */
export function readEnvoyYaml(text: string): Result<unknown> {
  const document = parseDocument(text, { schema: 'failsafe', customTags: SCALARS, uniqueKeys: false });
  const problems = document.errors.map((error): Problem => {
    const [place] = error.linePos ?? [];
    const at = place === undefined ? {} : { line: place.line, column: place.col };
    return { code: 'envoy-no-yaml', field: '(document)', message: error.message.split('\n')[0] ?? error.code, ...at };
  });
  if (problems.length > 0) return refused(problems);
  try {
    return ok(document.toJS({ maxAliasCount: 100 }) as unknown);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused([{ code: 'envoy-no-yaml', field: '(document)', message }]);
  }
}
