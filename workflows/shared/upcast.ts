import { ApplicationFailure } from '@temporalio/common';

/** Makes of a state of one schema that of the next. Pure: it is run again by every replay. */
export type Upcaster = (state: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** How one workflow's state is handed on by continue-as-new. */
export interface StateFormat {
  workflow: string;
  /** What this build writes. */
  schema: number;
  /** By the schema that each reads; the oldest named is the oldest that this build takes. */
  upcasters: Readonly<Record<number, Upcaster>>;
}

/**
 * The state that the run before handed on, in the schema of this build.
 *
 * @throws a non-retryable failure of type `unknown-state` before anything is done: by a state that a newer build
 * wrote, one older than this build reads, or what is no state at all
 */
export function readState(raw: unknown, format: StateFormat): Record<string, unknown> {
  const { workflow, schema, upcasters } = format;
  let state = asState(raw, workflow);
  for (let from = schemaOf(state, workflow); from !== schema; from = schemaOf(state, workflow)) {
    const upcaster = upcasters[from];
    if (upcaster === undefined || from > schema) throw unreadable(from, format);
    state = { ...upcaster(state), schema: from + 1 };
  }
  return state;
}

function asState(raw: unknown, workflow: string): Record<string, unknown> {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  throw refusal(`${workflow} was handed on no state: ${JSON.stringify(raw)?.slice(0, 200) ?? 'nothing'}`);
}

function schemaOf(state: Readonly<Record<string, unknown>>, workflow: string): number {
  const { schema } = state;
  if (typeof schema === 'number' && Number.isSafeInteger(schema)) return schema;
  throw refusal(`the state that ${workflow} was handed on names no schema`);
}

function unreadable(found: number, { workflow, schema, upcasters }: StateFormat): ApplicationFailure {
  const readable = [...Object.keys(upcasters), String(schema)].join(', ');
  const fix =
    found > schema
      ? 'a newer build wrote it: run that build, and reset the workflow to before this failure'
      : 'take the builds between the two one after the other, and reset the workflow to before this failure';
  return refusal(`the state of ${workflow} is of schema ${found}; this build reads ${readable}: ${fix}`);
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'unknown-state');
}
