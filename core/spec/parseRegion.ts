import type { RegionVersions } from './migrate.js';
import { REGION_VERSIONS, migrateRegion } from './migrate.js';
import type { Problem, Result } from './problem.js';
import { ok, refused } from './problem.js';
import type { RegionSpec } from './region.js';
import { crossFieldProblems } from './regionChecks.js';
import { regionSchema } from './regionSchema.js';
import type { PathProblem } from './schemaProblems.js';
import { placeProblem, schemaProblems } from './schemaProblems.js';
import { readYamlMapping } from './yamlDocument.js';

/**
 * Reads a region file: YAML 1.2, or the same document as JSON, at most 1 MiB. Never throws. Every problem in the
 * text is returned at once, in the order of the text, each with line, column, field and what to do; only a text
 * that is not YAML at all ends at its syntax errors. An older version is read as the current one, with a warning.
 *
 * @param file name to show in problems
 */
export function parseRegion(
  text: string,
  file?: string,
  versions: RegionVersions = REGION_VERSIONS,
): Result<RegionSpec> {
  const read = readYamlMapping(text, file);
  if (!read.ok) return refused(read.problems);
  const { mapping } = read;
  const migrated = migrateRegion(mapping.value, versions);
  // Of a version that nobody reads the rest is held against the current one all the same: most of it is alike.
  const document = migrated.ok ? migrated.value : mapping.value;
  const atVersion = (problem: Problem): Problem => ({
    ...problem,
    ...(file === undefined ? {} : { file }),
    ...mapping.placeOf(['apiVersion']),
  });
  const parsed = regionSchema.safeParse(document, { reportInput: true });
  const fromSchema = (parsed.success ? [] : schemaProblems(regionSchema, document, parsed.error.issues)).filter(
    ({ path }) => migrated.ok || path[0] !== 'apiVersion',
  );
  const across = crossFieldProblems(document).filter((problem) => !isTold(problem, fromSchema));
  const placed = [...fromSchema, ...across].map((problem) => placeProblem(problem, mapping, file));
  const ofVersion = migrated.ok ? [] : migrated.problems.map(atVersion);
  const problems = [...mapping.problems, ...ofVersion, ...placed].sort(byPlace);
  if (!parsed.success || !migrated.ok || problems.length > 0) return refused(atMost(problems, MAX_PROBLEMS));
  const warnings = warningsOf(parsed.data).map((warning) => placeProblem(warning, mapping, file));
  return ok(parsed.data, [...migrated.warnings.map(atVersion), ...warnings]);
}

/** A list longer than this helps nobody, and it travels inside failures and histories. */
const MAX_PROBLEMS = 500;

function atMost(problems: readonly Problem[], limit: number): readonly Problem[] {
  const last = problems[limit - 1];
  if (problems.length <= limit || last === undefined) return problems;
  const message = `and ${problems.length - limit} more problems after these`;
  return [
    ...problems.slice(0, limit),
    { ...last, code: 'more', field: '(document)', message, fix: 'mend these first' },
  ];
}

/** A value that the schema refuses already would only be told twice. */
function isTold(problem: PathProblem, told: readonly PathProblem[]): boolean {
  return told.some(
    (other) => other.path.length === problem.path.length && other.path.every((p, i) => p === problem.path[i]),
  );
}

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Allowed, but likely not meant. */
function warningsOf(region: RegionSpec): PathProblem[] {
  const called = new Set((region.graph.edges ?? []).map((edge) => edge.callee));
  const graphIsStated = (region.graph.sources ?? []).length === 0;
  return region.services.flatMap((service, index): PathProblem[] => {
    if (service.entry !== undefined || called.has(service.name) || !graphIsStated) return [];
    const message = 'is neither an entry service nor called by any other: no demand reaches it';
    return [{ code: 'no-demand', path: ['services', index, 'name'], message }];
  });
}
