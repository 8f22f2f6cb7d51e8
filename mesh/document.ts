import { Document, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Node } from 'yaml';
import { oneLine } from '../core/spec/oneLine.js';

/** A scalar with the sentence that says why it is what it is; the sentence becomes a comment behind it. */
export class Because {
  readonly value: string | number | boolean;
  readonly reason: string;

  constructor(value: string | number | boolean, reason: string | undefined) {
    this.value = value;
    this.reason = reason ?? '';
  }
}

export type Tree = string | number | boolean | Because | readonly Tree[] | { readonly [key: string]: Tree | undefined };

/**
 * YAML in the order in which the tree was built, without aliases, line folding or anything that changes by itself. Texts
 * that YAML 1.1 takes for something else stand in quotes, as Envoy and Kubernetes read by it: a service may be called
 * `no` or `on`.
 */
export function toYaml(tree: Tree, head: string): string {
  const document = new Document(toNode(tree), { compat: 'yaml-1.1' });
  document.commentBefore = ` ${oneLine(head)}`;
  return document.toString({ lineWidth: 0, aliasDuplicateObjects: false } as Parameters<typeof document.toString>[0]);
}

function toNode(tree: Tree): Node {
  if (tree instanceof Because) {
    const scalar = new Scalar(tree.value);
    if (tree.reason !== '') scalar.comment = ` ${oneLine(tree.reason)}`;
    return scalar;
  }
  if (typeof tree !== 'object') return new Scalar(tree);
  if (isList(tree)) {
    const list = new YAMLSeq<Node>();
    for (const item of tree) list.add(toNode(item));
    return list;
  }
  const map = new YAMLMap<Scalar, Node>();
  for (const [key, value] of Object.entries(tree)) {
    if (value !== undefined) map.add({ key: new Scalar(key), value: toNode(value) } as Parameters<typeof map.add>[0]);
  }
  return map;
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree);
}

/** A number as YAML text that is no number in YAML: durations, `0.25s`. Exact to the nanosecond, as protobuf's. */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(9))}s`;
}
