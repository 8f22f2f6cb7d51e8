import type { Problem, Result } from './problem.js';
import { ok, refused } from './problem.js';

/** Makes of a region document of one version that of the next; it may add problems of what it cannot carry over. */
export type Migration = (document: Readonly<Record<string, unknown>>) => Result<Record<string, unknown>>;

/** How region files of older versions are read. */
export interface RegionVersions {
  /** What this program reads. */
  current: string;
  /** By the version that each reads; a file goes from one to the next until it is of the current one. */
  migrations: Readonly<Record<string, { to: string; migrate: Migration }>>;
}

/** `psmg/v1` is the first: nothing older was ever read. */
export const REGION_VERSIONS: RegionVersions = { current: 'psmg/v1', migrations: {} };

const FORM = /^psmg\/v(\d+)((?:alpha|beta)\d+)?$/;

/**
 * Brings a region document up to the version that this program reads. A document without `apiVersion`, or with one that
 * is no text, is returned as it is: the schema tells its problem.
 */
export function migrateRegion(
  document: Readonly<Record<string, unknown>>,
  versions: RegionVersions = REGION_VERSIONS,
): Result<Record<string, unknown>> {
  const warnings: Problem[] = [];
  let now: Record<string, unknown> = { ...document };
  const passed: string[] = [];
  while (typeof now['apiVersion'] === 'string' && now['apiVersion'] !== versions.current) {
    const from = now['apiVersion'];
    const step = versions.migrations[from];
    if (step === undefined || passed.includes(from)) return refused([unknownVersion(from, versions)]);
    const migrated = step.migrate(now);
    if (!migrated.ok) return migrated;
    warnings.push(...migrated.warnings, readAs(from, step.to));
    passed.push(from);
    now = { ...migrated.value, apiVersion: step.to };
  }
  return ok(now, warnings);
}

function readAs(from: string, to: string): Problem {
  return { code: 'api-version-old', field: 'apiVersion', message: `${from} is read as ${to}`, fix: `write ${to}` };
}

function unknownVersion(found: string, { current, migrations }: RegionVersions): Problem {
  const readable = [...Object.keys(migrations), current].join(', ');
  return {
    code: 'api-version',
    field: 'apiVersion',
    message: isNewer(found, current) ? `${found} is newer than this program` : `${found} is no version that it reads`,
    expected: `one of ${readable}`,
    fix: isNewer(found, current) ? 'use a newer psmg, or a file of this version' : `write ${current}`,
  };
}

function isNewer(found: string, current: string): boolean {
  const number = (version: string): number => Number(FORM.exec(version)?.[1] ?? Number.NaN);
  return number(found) > number(current);
}
