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
  const routes = new Map(
    [FILES.ingressRoutes, FILES.meshRoutes].flatMap((file) =>
      resources(files, file).map((route) => [String(route['name']), withoutType(route)] as const),
    ),
  );
  const listeners = resources(files, FILES.listeners).map((listener) => inlineRoutes(withoutType(listener), routes));
  const clusters = resources(files, FILES.clusters).map((cluster) => inlineEndpoints(withoutType(cluster), files));
  return stringify({ ...bootstrap, static_resources: { listeners, clusters } }, { lineWidth: 0 });
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

function inlineEndpoints({ eds_cluster_config: _, ...cluster }: Json, files: FileSet): Json {
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
