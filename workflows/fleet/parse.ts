import type { Parsed } from '../shared/parse.js';
import { textProblems } from '../shared/parse.js';
import { isUndecodable } from '../shared/payloadConverter.js';
import { regionWorkflowId } from '../shared/names.js';
import type { FleetInputs, FleetMessageName, FleetReport, PermitRequest, PermitReturn } from './messages.js';

/** The key that regions see is made of this one, and has to fit their limit. */
export const MAX_FLEET_KEY = 100;
const MAX_TEXT = 900;
const MAX_DETAIL = 300;
const MAX_NEIGHBOURS = 32;
const NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What a rollout may name: the regions known, and their groups. */
export interface FleetNames {
  regions: readonly string[];
  groups: readonly string[];
}

type Fields = Record<string, unknown>;

const LIST_FIELD: Readonly<Record<FleetMessageName, 'except' | 'regions' | null>> = {
  'freeze-all': 'except',
  'resume-all': 'except',
  rollout: 'regions',
  'resume-rollout': null,
  'abort-rollout': null,
};

/** Checks a person's message whole and names every problem in one reason. */
export function parseFleetMessage<N extends FleetMessageName>(
  name: N,
  raw: unknown,
  names: FleetNames,
): Parsed<FleetInputs[N]> {
  const fields = fieldsOf(name, raw, 'key, who and why');
  if (typeof fields === 'string') return { ok: false, reason: fields };
  const list = LIST_FIELD[name];
  const known = ['key', 'who', 'why', ...(list === null ? [] : [list])];
  const problems = [
    ...textProblems(fields, 'key', MAX_FLEET_KEY),
    // It would be no entry of a table, but what the table is made of.
    ...(fields['key'] === '__proto__' ? ['key must be another word'] : []),
    ...textProblems(fields, 'who', MAX_TEXT),
    ...textProblems(fields, 'why', MAX_TEXT),
    ...(list === null ? [] : listProblems(fields, list, list === 'except' ? { ...names, groups: [] } : names)),
    ...Object.keys(fields)
      .filter((field) => !known.includes(field))
      .map((field) => `${name} has no field "${field.slice(0, MAX_FLEET_KEY)}" (one of ${known.join(', ')})`),
  ];
  if (problems.length > 0) return { ok: false, reason: problems.join('; ') };
  return { ok: true, message: raw as FleetInputs[N] };
}

/** Regions send these, but anyone can by hand. */
export function parseRequest(raw: unknown): Parsed<PermitRequest> {
  return parseReport<PermitRequest>('permit-request', raw, (fields) => [
    ...numberProblems(fields, 'number'),
    ...oneOf(fields, 'what', ['launch', 'replan']),
    ...(fields['planHash'] === null ? [] : textProblems(fields, 'planHash', 64)),
    ...neighbourProblems(fields['neighbours']),
    ...(fields['workflowId'] === regionWorkflowId(String(fields['region']))
      ? []
      : ['workflowId must be region/<region>: the answer goes there']),
    ...(fields['permitMs'] === undefined ? [] : numberProblems(fields, 'permitMs')),
  ]);
}

export function parseReturn(raw: unknown): Parsed<PermitReturn> {
  const parsed = parseReport<PermitReturn>('permit-returned', raw, (fields) => [
    ...(fields['number'] === 0 ? [] : numberProblems(fields, 'number')),
    ...oneOf(fields, 'what', ['launch', 'replan']),
    ...oneOf(fields, 'outcome', ['done', 'failed']),
    ...(typeof fields['detail'] === 'string' ? [] : ['detail must be text']),
    ...(Number.isFinite(fields['startedMs']) ? [] : ['startedMs must be a number']),
  ]);
  return parsed.ok ? { ok: true, message: shortened(parsed.message) } : parsed;
}

export function parseFleetReport(raw: unknown): Parsed<FleetReport> {
  const parsed = parseReport<FleetReport>('fleet-report', raw, (fields) => [
    ...oneOf(fields, 'state', ['blocked', 'refused']),
    ...(typeof fields['detail'] === 'string' ? [] : ['detail must be text']),
  ]);
  return parsed.ok ? { ok: true, message: shortened(parsed.message) } : parsed;
}

function shortened<T extends { detail: string }>(report: T): T {
  return { ...report, detail: report.detail.slice(0, MAX_DETAIL) };
}

function parseReport<T>(name: string, raw: unknown, problemsOf: (fields: Fields) => string[]): Parsed<T> {
  const fields = fieldsOf(name, raw, 'region');
  if (typeof fields === 'string') return { ok: false, reason: fields };
  const { region } = fields;
  const problems = typeof region === 'string' && NAME.test(region) ? [] : ['region must be the name of a region'];
  problems.push(...problemsOf(fields));
  return problems.length > 0 ? { ok: false, reason: problems.join('; ') } : { ok: true, message: raw as T };
}

function fieldsOf(name: string, raw: unknown, expected: string): Fields | string {
  if (isUndecodable(raw)) return `payload is not decodable (encoding ${raw.encoding}): ${raw.reason}`;
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Fields;
  return `${name} expects a JSON object with ${expected}`;
}

function numberProblems(fields: Fields, field: string): string[] {
  const value = fields[field];
  return Number.isSafeInteger(value) && Number(value) > 0 ? [] : [`${field} must be a whole number above 0`];
}

function oneOf(fields: Fields, field: string, values: readonly unknown[]): string[] {
  return values.includes(fields[field]) ? [] : [`${field} must be one of ${values.join(', ')}`];
}

function neighbourProblems(value: unknown): string[] {
  const names = Array.isArray(value) && value.every((name) => typeof name === 'string' && NAME.test(name));
  if (!names) return ['neighbours must be a list of regions'];
  return value.length > MAX_NEIGHBOURS ? [`neighbours names more than ${MAX_NEIGHBOURS} regions`] : [];
}

function listProblems(fields: Fields, field: string, { regions, groups }: FleetNames): string[] {
  const value: unknown = fields[field];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0) return [`${field} must be a list of names, or absent`];
  const known = [...regions, ...groups];
  const strangers = value.filter((name) => !known.includes(String(name))).map((name) => String(name).slice(0, 63));
  const found = known.join(', ') || 'none is known yet';
  return strangers.length === 0
    ? []
    : [`${field} names nothing of the fleet: ${strangers.slice(0, 10).join(', ')} (one of ${found})`];
}
