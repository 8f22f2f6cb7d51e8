import ICAL from 'ical.js';

import type { Problem } from '../../spec/problem.js';

/** One property of a component, its values as jCal has them (RFC 7265): times as `2026-03-01T08:00:00`, `…Z` in UTC. */
export interface IcalProperty {
  name: string;
  parameters: Readonly<Record<string, unknown>>;
  type: string;
  values: readonly unknown[];
  line: number;
}

export interface IcalComponent {
  name: string;
  line: number;
  properties: readonly IcalProperty[];
  components: readonly IcalComponent[];
  /** A line of it could not be read. */
  broken: boolean;
}

interface Draft extends IcalComponent {
  properties: IcalProperty[];
  components: Draft[];
}

/** Deeper than any calendar goes (VCALENDAR, VEVENT, VALARM). */
const MAX_DEPTH = 8;

/**
 * Splits an iCalendar text (RFC 5545) into its components, each property parsed by ical.js and with the line that it
 * starts on. A line that cannot be read is a problem and marks the components around it as broken. Never throws.
 */
export function readIcalText(
  text: string,
  file?: string,
): { calendars: readonly IcalComponent[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const tell = (line: number, field: string, message: string): void => {
    problems.push({ code: 'ical-syntax', ...(file === undefined ? {} : { file }), line, field, message });
  };
  const calendars: Draft[] = [];
  const open: Draft[] = [];
  for (const { line, content } of unfolded(text)) {
    const [, edge, component] = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/i.exec(content) ?? [];
    const name = component?.toUpperCase() ?? '';
    if (edge?.toUpperCase() === 'BEGIN') {
      const draft: Draft = { name, line, properties: [], components: [], broken: open.length >= MAX_DEPTH };
      if (open.length === 0 && name === 'VCALENDAR') calendars.push(draft);
      else if (open.length === 0) tell(line, name, 'stands outside a calendar');
      else if (open.length < MAX_DEPTH) open.at(-1)?.components.push(draft);
      open.push(draft);
    } else if (edge !== undefined) {
      const last = open.pop();
      if (last?.name !== name) tell(line, name, `ends here, but ${last?.name ?? 'nothing'} is open`);
    } else {
      const draft = open.at(-1);
      const property = parseProperty(content, line);
      if (draft === undefined) tell(line, '(line)', 'stands outside a calendar');
      else if (typeof property !== 'string') draft.properties.push(property);
      else {
        draft.broken = true;
        tell(line, draft.name, property);
      }
    }
  }
  for (const left of open) {
    left.broken = true;
    tell(left.line, left.name, 'is never ended');
  }
  return { calendars, problems };
}

/** RFC 5545, 3.1: a line that begins with a space or a tab goes on the one before it. */
function unfolded(text: string): { line: number; content: string }[] {
  const logical: { line: number; parts: string[] }[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const before = logical.at(-1);
    if (/^[ \t]/.test(raw) && before !== undefined) before.parts.push(raw.slice(1));
    else if (raw.trim() !== '') logical.push({ line: index + 1, parts: [raw] });
  }
  return logical.map(({ line, parts }) => ({ line, content: parts.join('') }));
}

function parseProperty(content: string, line: number): IcalProperty | string {
  try {
    const parsed: unknown = ICAL.parse.property(content, ICAL.design.icalendar);
    if (!Array.isArray(parsed)) return 'holds a line that is no property';
    const [name, parameters, type, ...values] = parsed as [string, Readonly<Record<string, unknown>>, string];
    return { name, parameters, type, values, line };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `holds a line that cannot be read: ${reason.slice(0, 120)}`;
  }
}
