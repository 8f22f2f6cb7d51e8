import { duplicates, isText } from './checkParts.js';
import type { FleetSpec } from './fleet.js';
import { fleetSchema } from './fleetSchema.js';
import type { Problem, Result } from './problem.js';
import { ok, refused } from './problem.js';
import type { Raw } from './rawDocument.js';
import { isRecord, items, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';
import { placeProblem, schemaProblems } from './schemaProblems.js';
import { readYamlMapping } from './yamlDocument.js';

/**
 * Reads a fleet file: YAML 1.2, or the same document as JSON. Never throws; every problem in the text is returned at
 * once, each with line, column, field and what to do.
 *
 * @param file name to show in problems
 */
export function parseFleet(text: string, file?: string): Result<FleetSpec> {
  const read = readYamlMapping(text, file);
  if (!read.ok) return refused(read.problems);
  const { mapping } = read;
  const parsed = fleetSchema.safeParse(mapping.value, { reportInput: true });
  const fromSchema = parsed.success ? [] : schemaProblems(fleetSchema, mapping.value, parsed.error.issues);
  const placed = [...fromSchema, ...acrossFields(mapping.value)].map((one) => placeProblem(one, mapping, file));
  const problems = [...mapping.problems, ...placed].sort(byPlace);
  return parsed.success && problems.length === 0 ? ok(parsed.data) : refused(problems.slice(0, MAX_PROBLEMS));
}

const MAX_PROBLEMS = 200;

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Works on the document as written, so that these problems are told together with the schema's. */
function acrossFields(document: Raw): PathProblem[] {
  const regions = items(document, 'regions');
  const names = new Set(regions.map(({ value }) => value['name']).filter(isText));
  return [
    ...duplicates(regions, ['name'], 'duplicate', 'region'),
    ...groupProblems(document, names),
    ...failoverProblems(document, names),
    ...stageProblems(document),
  ];
}

/** A rollout names regions and groups in one list. */
function groupProblems(document: Raw, names: ReadonlySet<string>): PathProblem[] {
  return items(document, 'regions').flatMap(({ path, value: { group } }): PathProblem[] => {
    if (!isText(group) || !names.has(group)) return [];
    const fix = 'give the group a name of its own';
    return [{ code: 'duplicate', path: [...path, 'group'], message: `"${group}" is the name of a region too`, fix }];
  });
}

function failoverProblems(document: Raw, names: ReadonlySet<string>): PathProblem[] {
  const pairs: readonly unknown[] = Array.isArray(document['failover']) ? document['failover'] : [];
  return pairs.flatMap((pair, index): PathProblem[] => {
    if (!Array.isArray(pair)) return [];
    const members: readonly unknown[] = pair;
    const path = ['failover', index];
    const strangers = members.flatMap((member, place): PathProblem[] => {
      if (!isText(member) || names.size === 0 || names.has(member)) return [];
      const fix = `one of ${[...names].join(', ')}, or add it to regions`;
      return [
        { code: 'unknown-region', path: [...path, place], message: `"${member}" is no region of the fleet`, fix },
      ];
    });
    if (members.length !== 2 || members[0] !== members[1]) return strangers;
    return [...strangers, { code: 'same-region', path, message: 'names one region twice', fix: 'name two regions' }];
  });
}

/** Stages are sums: each takes in the ones before it. Numbers and shares cannot be compared before regions are known. */
function stageProblems(document: Raw): PathProblem[] {
  const { stages } = record(document, 'rollout');
  if (!Array.isArray(stages)) return [];
  const last: Record<string, number> = {};
  return stages.flatMap((stage: unknown, index): PathProblem[] => {
    if (isRecord(stage)) return [];
    const kind = typeof stage;
    const value = Number.parseFloat(String(stage));
    const before = last[kind];
    last[kind] = value;
    if (before === undefined || !(value <= before)) return [];
    const fix = 'each stage takes in the ones before it: write them rising';
    return [
      { code: 'stages-fall', path: ['rollout', 'stages', index], message: 'is no more than a stage before it', fix },
    ];
  });
}
