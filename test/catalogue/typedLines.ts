import { pageText } from '../readme/readme.js';

/** A `temporal` line of a page, as a person would copy it. */
export interface TypedLine {
  page: string;
  text: string;
  /** `signal`, `update`, `query`, `start`, `describe` or `list`. */
  verb: string;
  workflowId: string;
  /** Of a message or a query; '' where the line has none. */
  name: string;
  /** Of a message. */
  input: Readonly<Record<string, unknown>>;
}

/** Lines that stand for many others, and are no lines themselves: an ellipsis, `ID`, or no workflow named. */
export function isForm(text: string): boolean {
  return / …|'…'| ID\b/.test(text) || /^temporal workflow (query|signal) --(type|name)/.test(text);
}

/** Every one, in order: in blocks, where a line may go on after a backslash, and between backticks. */
export function temporalLines(page: string): readonly string[] {
  const text = pageText(page).replace(/ \\\n\s*/g, ' ');
  const found = [...text.matchAll(/^ *(temporal .*)$|`(temporal [^`]*)`/gm)];
  return found.map(([, block, inline]) => (block ?? inline ?? '').trim());
}

export function readLine(page: string, text: string): TypedLine {
  const [, verb = ''] = /^temporal workflow (\w+)/.exec(text) ?? [];
  const option = (...names: string[]): string =>
    names.map((name) => new RegExp(`--${name} +(\\S+)`).exec(text)?.[1]).find((value) => value !== undefined) ?? '';
  const [, json] = /--input '(.*?)'/.exec(text) ?? [];
  return {
    ...{ page, text, verb, workflowId: option('workflow-id'), name: option('name', 'type') },
    input: json === undefined ? {} : (JSON.parse(json) as Record<string, unknown>),
  };
}
