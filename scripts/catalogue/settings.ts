import { SyntaxKind } from 'ts-morph';
import type { Sources } from './source.js';
import { CatalogueError, docsOf, literal, nameOf, required, variable } from './source.js';

/** A live setting that an override may name, with what it may be set to. */
export interface Setting {
  /** As in an address, after the service; `weight.<region>` stands for one a region. */
  field: string;
  docs: string;
  unit: string;
  min?: number;
  max?: number;
  oneOf?: readonly string[];
  integer?: boolean;
}

type Rule = Omit<Setting, 'field' | 'docs'>;

const SETTINGS = 'core/spec/settings.ts';
const PARSE = 'workflows/shared/parse.ts';

export const WEIGHT_FIELD = 'weight.<region>';

export function readSettings(sources: Sources): Setting[] {
  const file = sources.file(SETTINGS);
  const rules = literal(variable(file, 'SETTING_FIELDS').getInitializer()) as unknown as Record<string, Rule>;
  const declared = required(file.getInterface('ServiceSettings'), file, 'ServiceSettings').getProperties();
  const docs = new Map(declared.map((property) => [nameOf(property.getNameNode()), docsOf(property)]));
  for (const field of docs.keys()) {
    if (!Object.hasOwn(rules, field)) throw new CatalogueError(`setting "${field}" is missing from SETTING_FIELDS`);
  }
  return [
    ...Object.entries(rules).map(([field, rule]) => ({ ...rule, field, docs: docs.get(field) ?? '' })),
    { ...weightRule(sources), field: WEIGHT_FIELD, docs: 'Share of requests that a region answers.' },
  ];
}

/** Weights have one rule for every region; it is written where messages are checked. */
function weightRule(sources: Sources): Rule {
  const file = sources.file(PARSE);
  const made = required(file.getFunction('ruleOf'), file, 'ruleOf');
  const [rule] = made.getDescendantsOfKind(SyntaxKind.ObjectLiteralExpression);
  return literal(required(rule, file, 'a rule for weights')) as unknown as Rule;
}
