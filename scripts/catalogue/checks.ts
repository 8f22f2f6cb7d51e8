import type { CallExpression, Expression } from 'ts-morph';
import { Node } from 'ts-morph';
import type { JsonSchema } from './schema.js';
import type { Setting } from './settings.js';
import { WEIGHT_FIELD } from './settings.js';
import type { Sources } from './source.js';
import { CatalogueError, calleeName, calls, literal, nameOf, required, variable } from './source.js';

/** One call of a check, e.g. `textProblems(fields, 'why', MAX_TEXT)`. */
export interface Check {
  name: string;
  /** What the check was given besides the message and the region's rules. */
  given: readonly (string | number)[];
}

/** The checks that a message must pass, in order. */
export type ChecksOf = Readonly<Record<string, readonly Check[]>>;

const PARSE = 'workflows/shared/parse.ts';

/** Reads which checks `parseMessage` makes of every message and which its table adds for one. */
export function readChecks(sources: Sources): ChecksOf {
  const file = sources.file(PARSE);
  const parse = required(file.getFunction('parseMessage'), file, 'parseMessage');
  const base = calls(parse).flatMap(checkIn);
  const table = variable(file, 'PROBLEMS_OF').getInitializer();
  if (!Node.isObjectLiteralExpression(table)) throw new CatalogueError(`${PARSE}: PROBLEMS_OF is no table`);
  const entries = table.getProperties().map((property) => {
    if (!Node.isPropertyAssignment(property)) throw new CatalogueError(`${PARSE}: "${property.getText()}"`);
    return [nameOf(property.getNameNode()), [...base, ...checksIn(property.getInitializer())]] as const;
  });
  return Object.fromEntries(entries);
}

function checksIn(node: Expression | undefined): Check[] {
  return node === undefined ? [] : calls(node).flatMap(checkIn);
}

function checkIn(call: CallExpression): Check[] {
  const name = calleeName(call);
  if (!name.endsWith('Problems')) return [];
  const given = call.getArguments().filter((argument) => !['fields', 'rules'].includes(argument.getText()));
  return [{ name, given: given.map((argument) => literal(argument as Expression) as string | number) }];
}

interface Constraint {
  field: string;
  /** Narrows the field whatever the rest of the message says. */
  narrows?: JsonSchema;
  /** Narrows the message by what other fields say. */
  when?: readonly JsonSchema[];
}

/**
 * What each check of `parse.ts` means as JSON Schema. A check that is not here stops the generator: a schema that
 * knows less than the workflow would promise what the workflow refuses. The house tests hold both against each other.
 */
const MEANING: Readonly<Record<string, (check: Check, settings: readonly Setting[]) => Constraint>> = {
  textProblems: ({ given: [field, max] }) => ({
    field: String(field),
    narrows: { type: 'string', pattern: '\\S', maxLength: Number(max) },
  }),
  addressProblems: (_, settings) => ({
    field: 'address',
    narrows: { type: 'string', pattern: addressPattern(settings.map((setting) => setting.field)) },
  }),
  valueProblems: (_, settings) => ({ field: 'value', when: valueRules(settings) }),
  levelProblems: () => ({ field: 'level' }),
  serviceProblems: () => ({ field: 'service' }),
  classProblems: (_, settings) => ({ field: 'class', narrows: { type: 'string', pattern: classPattern(settings) } }),
  repairFieldProblems: () => ({ field: 'field' }),
  repairValueProblems: () => ({ field: 'value', when: REPAIR_VALUES }),
  untilProblems: () => ({ field: 'until', narrows: { type: ['string', 'null'], pattern: INSTANT } }),
};

const REPAIR_VALUES: readonly JsonSchema[] = [
  {
    if: { properties: { field: { const: 'epoch' } } },
    then: { properties: { value: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } } },
    else: { properties: { value: { type: 'string', pattern: '^(none|[0-9a-f]{64})$' } } },
  },
];

function classPattern(settings: readonly Setting[]): string {
  const classes = settings.map(({ field }) => field.split('.', 1)[0] ?? field);
  return `^(${[...new Set([...classes, 'weight'])].join('|')})$`;
}

const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d';
/** ISO 8601 with a zone. */
const INSTANT = `^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T${CLOCK}(:[0-5]\\d(\\.\\d+)?)?(Z|[+-]([01]\\d|2[0-3]):?[0-5]\\d)$`;

function addressPattern(fields: readonly string[]): string {
  return `^[^.]+\\.(${fields.map(fieldPattern).join('|')})$`;
}

function fieldPattern(field: string): string {
  return field === WEIGHT_FIELD ? 'weight\\..+' : field.replaceAll('.', '\\.');
}

/** Settings of one rule share a condition, so that the schema stays readable. */
function valueRules(settings: readonly Setting[]): JsonSchema[] {
  const byRule = new Map<string, { rule: JsonSchema; fields: string[] }>();
  for (const setting of settings) {
    const rule = valueSchema(setting);
    const known = byRule.get(JSON.stringify(rule));
    if (known === undefined) byRule.set(JSON.stringify(rule), { rule, fields: [setting.field] });
    else known.fields.push(setting.field);
  }
  return [...byRule.values()].map(({ rule, fields }) => ({
    if: { properties: { address: { pattern: addressPattern(fields) } } },
    then: { properties: { value: rule } },
  }));
}

export function valueSchema(setting: Setting): JsonSchema {
  if (setting.oneOf !== undefined) return { enum: [...setting.oneOf] };
  return {
    type: setting.integer === true ? 'integer' : 'number',
    ...(setting.min === undefined ? {} : { minimum: setting.min }),
    ...(setting.max === undefined ? {} : { maximum: setting.max }),
  };
}

/** The schema of a message's type with what its checks demand. Type and checks must speak of the same fields. */
export function narrowed(
  message: string,
  schema: JsonSchema,
  checks: ChecksOf,
  settings: readonly Setting[],
): JsonSchema {
  const own = checks[message];
  if (own === undefined) throw new CatalogueError(`message "${message}" has no entry in PROBLEMS_OF of ${PARSE}`);
  const constraints = own.map((check) => {
    const meaning = MEANING[check.name];
    if (meaning === undefined) {
      throw new CatalogueError(
        `message "${message}": check "${check.name}" has no meaning in scripts/catalogue/checks.ts`,
      );
    }
    return meaning(check, settings);
  });
  const properties: Record<string, JsonSchema> = {};
  for (const { field, narrows } of constraints) {
    properties[field] = narrowedField(message, field, schema.properties?.[field], narrows);
  }
  for (const field of schema.required ?? []) {
    if (!constraints.some((constraint) => constraint.field === field)) {
      throw new CatalogueError(`message "${message}" requires "${field}", which ${PARSE} does not check`);
    }
  }
  const conditions = constraints.flatMap((constraint) => constraint.when ?? []);
  return {
    ...schema,
    properties: { ...properties, ...unchecked(schema, properties) },
    // As `unknownFields` of the parser: a misspelt field is refused and not overlooked.
    additionalProperties: false,
    required: Object.keys(properties).filter((field) => schema.required?.includes(field) === true),
    ...(conditions.length === 0 ? {} : { allOf: conditions }),
  };
}

/** Fields that may be left out and are taken as they come. */
function unchecked(schema: JsonSchema, checked: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  const all = Object.entries(schema.properties ?? {});
  return Object.fromEntries(all.filter(([field]) => !Object.hasOwn(checked, field)));
}

function narrowedField(
  message: string,
  field: string,
  declared: JsonSchema | undefined,
  narrows: JsonSchema | undefined,
): JsonSchema {
  if (declared === undefined) throw new CatalogueError(`message "${message}" checks "${field}", which its type lacks`);
  if (narrows === undefined) return declared;
  if (declared.type !== 'string') {
    throw new CatalogueError(`message "${message}": "${field}" is no string by its type, but is checked as one`);
  }
  return { ...declared, ...narrows };
}
