import { Document, Scalar, visit } from 'yaml';
import type { ScalarTag } from 'yaml';

const UNSAFE: ScalarTag = { tag: '!unsafe', resolve: (text) => text };

/** A plain value that the program wrote itself; every other string is marked `!unsafe`. */
export class Trusted {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function marked(value: unknown): unknown {
  if (value instanceof Trusted) return quoted(value.text);
  if (typeof value === 'string') return quoted(value, '!unsafe');
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, marked(member)]));
  }
  return value;
}

function quoted(text: string, tag?: string): Scalar<string> {
  const scalar = new Scalar(text);
  scalar.type = 'QUOTE_DOUBLE';
  if (tag !== undefined) scalar.tag = tag;
  return scalar;
}

/**
 * YAML for Ansible in which no string is a template unless it is `Trusted`. Quoted throughout, because Ansible reads
 * YAML 1.1, where `no` and `1:30` are not strings.
 */
export function ansibleYaml(value: unknown): string {
  const document = new Document(marked(value), { customTags: [UNSAFE], version: '1.2' });
  visit(document, {
    Pair: (_key, pair) => {
      if (
        pair.key instanceof Scalar &&
        /^[^A-Za-z_]|^(y|n|yes|no|on|off|true|false|null)$/i.test(String(pair.key.value))
      ) {
        pair.key.type = 'QUOTE_DOUBLE';
      }
    },
  });
  return `---\n${document.toString({ lineWidth: 120 })}`;
}
