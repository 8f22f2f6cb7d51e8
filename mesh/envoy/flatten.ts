import { parse, stringify } from 'yaml';

import type { FileSet } from '../../core/spec/artifact.js';
import { FILES } from './names.js';

type Json = Record<string, unknown>;

/**
 * One static bootstrap that holds all that the files hold. Envoy's validation does not follow the names of files:
 * only so does it see routes, clusters and endpoints before anything is touched. Throws when a file is missing or
 * has another shape than `render` gives it.
 */
export function flatten(files: FileSet): string {
  const { dynamic_resources: _, ...bootstrap } = read(files, FILES.bootstrap);
  const all = (kind: RegExp): Json[] => {
    const paths = Object.keys(files).filter((file) => kind.test(file));
    return paths.flatMap((file) => resources(files, file).map(withoutType));
  };
  const routes = new Map(all(/^dyn\/rds-/).map((route) => [String(route['name']), route] as const));
  const secrets = all(/^dyn\/sds-/);
  const named = new Set(secrets.map((secret) => String(secret['name'])));
  const listeners = resources(files, FILES.listeners).map((listener) =>
    detachSecrets(inlineRoutes(withoutType(listener), routes), named),
  );
  const clusters = resources(files, FILES.clusters).map((cluster) =>
    detachSecrets(inlineEndpoints(withoutType(cluster), files), named),
  );
  const held = secrets.length === 0 ? {} : { secrets };
  return stringify(
    { ...bootstrap, static_resources: { listeners, clusters, ...held } },
    { lineWidth: 0, compat: 'yaml-1.1' },
  );
}

function read(files: FileSet, file: string): Json {
  const text = files[file];
  if (text === undefined) throw new Error(`${file} is missing`);
  const value: unknown = parse(text);
  if (typeof value !== 'object' || value === null) throw new Error(`${file} holds no mapping`);
  return value as Json;
}

function resources(files: FileSet, file: string): Json[] {
  const list = read(files, file)['resources'];
  if (!Array.isArray(list)) throw new Error(`${file} has no list of resources`);
  return list as Json[];
}

function withoutType({ '@type': _, ...resource }: Json): Json {
  return resource;
}

/** Nothing is ever read from it, and validation only asks whether it is there. */
const NO_FILE = '/dev/null';

/**
 * Certificates are on the hosts and not where this is validated, so the contexts that use them are given a source
 * that stays empty; what the files of secrets say is beside them, where Envoy checks its form and opens nothing.
 */
function detachSecrets(resource: Json, named: ReadonlySet<string>): Json {
  return mapObjects(resource, (object) => {
    const { sds_config, ...rest } = object;
    if (sds_config === undefined) return object;
    const name = String(object['name']);
    if (!named.has(name)) throw new Error(`a certificate ${name} is used, which no file has`);
    return { ...rest, sds_config: { path_config_source: { path: NO_FILE }, resource_api_version: 'V3' } };
  }) as Json;
}

function inlineEndpoints(resource: Json, files: FileSet): Json {
  const { eds_cluster_config, ...cluster } = resource;
  if (eds_cluster_config === undefined) return resource;
  const name = String(cluster['name']);
  const [assignment] = resources(files, FILES.endpoints(name));
  if (assignment === undefined) throw new Error(`${FILES.endpoints(name)} has no endpoints`);
  return { ...cluster, type: 'STATIC', load_assignment: withoutType(assignment) };
}

function inlineRoutes(listener: Json, routes: ReadonlyMap<string, Json>): Json {
  return mapObjects(listener, (object) => {
    const { rds, ...rest } = object;
    if (typeof rds !== 'object' || rds === null) return object;
    const name = String((rds as Json)['route_config_name']);
    const route = routes.get(name);
    if (route === undefined) throw new Error(`a listener names the routes ${name}, which no file has`);
    return { ...rest, route_config: route };
  }) as Json;
}

function mapObjects(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const changed = change(value as Json);
  return Object.fromEntries(Object.entries(changed).map(([key, item]) => [key, mapObjects(item, change)]));
}
