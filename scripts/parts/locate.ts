import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export type PartName =
  | 'envoy'
  | 'temporal'
  | 'temporal-test-server'
  | 'ansible-playbook'
  | 'ansible-lint'
  | 'kubectl'
  | DebianPartName
  | PinnedPartName;

/** Parts that come from packages of Debian's. */
export type DebianPartName = 'prometheus' | 'promtool' | 'node_exporter';

/** Parts that are built from Go modules for `npm run test:parts`. */
export type BuiltPartName = 'istiod-files' | 'pilot-discovery' | 'istioctl' | 'kube-apiserver' | 'etcd' | 'influxd';

/** Parts of which only our own version will do. */
export type PinnedPartName = BuiltPartName | 'envoy-before';

/** Other names that systems install a part under. */
const ALSO_NAMED: Partial<Record<PartName, string>> = { node_exporter: 'prometheus-node-exporter' };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a part was found: named by its own variable, on PATH, or in the cache that set-up fills. */
export interface FoundPart {
  path: string;
  source: 'variable' | 'path' | 'cache';
}

/** Folder for everything that set-up brings, outside the clone; `PSMG_CACHE` overrides it. */
export function cacheDirectory(environment: Environment = process.env): string {
  return environment['PSMG_CACHE'] || path.join(homedir(), '.cache', 'psmg');
}

/** The variable that names a part by hand, `PSMG_ENVOY` for envoy. */
export function partVariable(name: PartName): string {
  return `PSMG_${name.toUpperCase().replaceAll('-', '_')}`;
}

export function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * A part by its own variable (`PSMG_ENVOY`), then PATH, then the cache; undefined when none has it.
 * Throws when the variable names something that cannot be run: silently using another one would surprise.
 */
export function findPart(name: PartName, environment: Environment = process.env): FoundPart | undefined {
  const named = findNamed(name, environment);
  if (named !== undefined) return named;
  const folders = (environment['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = [name, ...(ALSO_NAMED[name] === undefined ? [] : [ALSO_NAMED[name]])];
  const onPath = names.flatMap((one) => folders.map((folder) => path.join(folder, one))).find(isExecutableFile);
  if (onPath !== undefined) return { path: onPath, source: 'path' };
  return findCached(name, environment);
}

/** As `findPart`, but never from PATH: a part whose exact version matters to who asks. */
export function findPinnedPart(name: PartName, environment: Environment = process.env): FoundPart | undefined {
  return findNamed(name, environment) ?? findCached(name, environment);
}

function findNamed(name: PartName, environment: Environment): FoundPart | undefined {
  const variable = partVariable(name);
  const named = environment[variable];
  if (!named) return undefined;
  if (isExecutableFile(named)) return { path: named, source: 'variable' };
  throw new Error(`${variable} names ${named}, which is not an executable file. Mend or unset it.`);
}

function findCached(name: PartName, environment: Environment): FoundPart | undefined {
  const cache = cacheDirectory(environment);
  const cached = [path.join(cache, 'bin', name), path.join(cache, 'ansible', 'bin', name)].find(isExecutableFile);
  return cached === undefined ? undefined : { path: cached, source: 'cache' };
}

/** Path of a part: its own variable (`PSMG_ENVOY`), then PATH, then the cache. Throws when none has it. */
export function locatePart(name: PartName): string {
  const found = findPart(name);
  if (found === undefined) {
    throw new Error(
      `${name} was not found on PATH or in ${cacheDirectory()}. Run "npm run setup", or set ${partVariable(name)} to its path.`,
    );
  }
  return found.path;
}

/** Path of a part of exactly our version, by its own variable, then the cache. Throws when neither has it. */
export function locatePinned(name: PinnedPartName): string {
  const found = findPinnedPart(name);
  if (found === undefined) {
    throw new Error(
      `${name} is not in ${cacheDirectory()}. "npm run test:parts" brings it (or "npm run setup -- --for parts"); ${partVariable(name)} may name one instead.`,
    );
  }
  return found.path;
}
