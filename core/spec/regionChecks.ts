import { eventSourceProblems } from './eventSourceChecks.js';
import { fieldPath } from './fieldPath.js';
import { findCycles } from './graphCycles.js';
import { parseInstant } from './instant.js';
import { nearestName } from './nearest.js';
import type { Item, Path, Raw } from './rawDocument.js';
import { isRecord, items, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';
import type { SocketSpec } from './region.js';
import { parseSockets, socketKey } from './socket.js';

/**
 * What must hold between fields. Works on the document as written, whatever else is wrong with it, so that these
 * problems are told together with the schema's and not after them.
 */
export function crossFieldProblems(document: Raw): PathProblem[] {
  const services = items(document, 'services');
  const names = new Set(services.map((service) => service.value['name']).filter(isText));
  const sources = items(document, 'eventSources');
  return [
    ...serviceProblems(services),
    ...socketProblems(document, services),
    ...hostProblems(items(record(document, 'delivery'), 'hosts', ['delivery'])),
    ...graphProblems(items(record(document, 'graph'), 'edges', ['graph']), names),
    ...neighbourProblems(items(document, 'neighbours'), names, document['name']),
    ...eventProblems(items(document, 'events'), names),
    ...eventSourceProblems(sources),
    ...sources.flatMap((source) => unknownServices(source, names)),
    ...stepProblems(document),
    ...seasonProblems(document),
  ];
}

function serviceProblems(services: readonly Item[]): PathProblem[] {
  const problems = duplicates(services, ['name'], 'duplicate-name', 'service name');
  problems.push(...duplicates(services, ['entry', 'pathPrefix'], 'duplicate-path', 'path prefix', trimSlash));
  if (services.length > 0 && services.every((service) => service.value['entry'] === undefined)) {
    problems.push({
      code: 'no-entry',
      path: ['services'],
      message: 'has no entry service, so no user could reach the region',
      fix: 'give one service "entry: {pathPrefix: /…}"',
    });
  }
  for (const { path, value } of services) {
    const serviceTimeMs = record(value, 'capacity')['serviceTimeMs'];
    const p99Ms = record(value, 'slo')['p99Ms'];
    if (typeof serviceTimeMs === 'number' && typeof p99Ms === 'number' && p99Ms > 0 && p99Ms <= serviceTimeMs) {
      problems.push({
        code: 'unreachable-slo',
        path: [...path, 'slo', 'p99Ms'],
        message: `is not above the mean service time (${serviceTimeMs} ms): no number of instances can meet it`,
        expected: `more than ${serviceTimeMs}`,
      });
    }
    const available = endpointSockets({ path, value }).length;
    const minInstances = value['minInstances'];
    if (typeof minInstances === 'number' && available > 0 && minInstances > available) {
      problems.push({
        code: 'too-few-endpoints',
        path: [...path, 'minInstances'],
        message: `is ${minInstances}, but only ${available} endpoints are listed`,
        fix: 'add endpoints or lower it',
      });
    }
  }
  return problems;
}

interface Placed {
  path: Path;
  socket: SocketSpec;
  /** Where the socket is bound: loopback sockets of two machines do not meet. */
  scope: string;
}

function socketProblems(document: Raw, services: readonly Item[]): PathProblem[] {
  const problems: PathProblem[] = [];
  const seen = new Map<string, Placed>();
  const claim = (placed: Placed, key: string): void => {
    const before = seen.get(key);
    if (before === undefined) seen.set(key, placed);
    else {
      problems.push({
        code: 'duplicate-endpoint',
        path: placed.path,
        message: `listens on ${socketKey(placed.socket)}, which ${fieldPath(before.path)} takes already`,
        fix: 'give each listener and instance an address and port of its own',
      });
    }
  };
  for (const { path, value } of items(record(document, 'delivery'), 'hosts', ['delivery'])) {
    const scope = value['connection'] === 'ssh' ? String(value['name']) : 'local';
    for (const role of ['ingress', 'mesh', 'admin']) {
      for (const socket of socketsOf(record(value, 'proxy')[role])) {
        const placed = { path: [...path, 'proxy', role], socket, scope };
        claim(placed, isLoopback(socket) && scope !== 'local' ? `${scope} ${socketKey(socket)}` : socketKey(socket));
      }
    }
  }
  for (const service of services)
    for (const placed of endpointSockets(service)) claim(placed, socketKey(placed.socket));
  return problems;
}

function endpointSockets({ path, value }: Item): Placed[] {
  const list = value['endpoints'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) =>
    socketsOf(entry).map((socket) => ({ path: [...path, 'endpoints', index], socket, scope: 'local' })),
  );
}

function hostProblems(hosts: readonly Item[]): PathProblem[] {
  const problems = duplicates(hosts, ['name'], 'duplicate-name', 'host name');
  for (const { path, value } of hosts) {
    if (value['connection'] === 'ssh' && value['ssh'] === undefined) {
      problems.push({
        code: 'missing',
        path: [...path, 'ssh'],
        message: 'is missing, and the connection is ssh',
        expected: '{address, user, hostKey}',
        fix: 'add "ssh" or set "connection: local"',
      });
    }
    if (value['connection'] === 'local' && value['ssh'] !== undefined) {
      problems.push({
        code: 'contradiction',
        path: [...path, 'ssh'],
        atKey: true,
        message: 'is given, but the connection is local',
        fix: 'remove it or set "connection: ssh"',
      });
    }
  }
  return problems;
}

function graphProblems(edges: readonly Item[], names: ReadonlySet<string>): PathProblem[] {
  const problems: PathProblem[] = [];
  const pairs = new Map<string, Path>();
  const calls: { caller: string; callee: string; path: Path }[] = [];
  for (const { path, value } of edges) {
    const { caller, callee } = value;
    for (const end of ['caller', 'callee']) problems.push(...unknownService(value[end], [...path, end], names));
    if (typeof caller !== 'string' || typeof callee !== 'string') continue;
    const pair = `${caller} → ${callee}`;
    const before = pairs.get(pair);
    if (before !== undefined) {
      const message = `states ${pair} a second time; the first is ${fieldPath(before)}`;
      problems.push({ code: 'duplicate-edge', path, message, fix: 'keep one of the two' });
      continue;
    }
    pairs.set(pair, path);
    calls.push({ caller, callee, path });
  }
  for (const cycle of findCycles(calls)) {
    const [first = ''] = cycle;
    const edge = calls.findLast((call) => cycle.includes(call.caller) && cycle.includes(call.callee));
    problems.push({
      code: 'cycle',
      path: edge?.path ?? ['graph', 'edges'],
      message: `closes a circle of calls: ${[...cycle, first].join(' → ')}`,
      expected: 'calls that never lead back to the caller',
      fix: 'remove one of these edges',
    });
  }
  return problems;
}

function neighbourProblems(neighbours: readonly Item[], names: ReadonlySet<string>, own: unknown): PathProblem[] {
  const problems = duplicates(neighbours, ['name'], 'duplicate-name', 'neighbour');
  for (const { path, value } of neighbours) {
    if (value['name'] === own && typeof own === 'string') {
      problems.push({ code: 'self-neighbour', path: [...path, 'name'], message: 'is the region itself' });
    }
    for (const service of Object.keys(record(value, 'spareRps'))) {
      const found = unknownService(service, [...path, 'spareRps', service], names);
      problems.push(...found.map((problem) => ({ ...problem, atKey: true })));
    }
  }
  return problems;
}

function eventProblems(events: readonly Item[], names: ReadonlySet<string>): PathProblem[] {
  const problems = duplicates(events, ['id'], 'duplicate-name', 'event id');
  for (const event of events) {
    const { path, value } = event;
    const start = typeof value['start'] === 'string' ? parseInstant(value['start']) : null;
    const end = typeof value['end'] === 'string' ? parseInstant(value['end']) : null;
    if (start !== null && end !== null && end <= start) {
      const message = 'is not after the start';
      problems.push({
        code: 'bad-value',
        path: [...path, 'end'],
        message,
        expected: `after ${String(value['start'])}`,
      });
    }
    problems.push(...unknownServices(event, names));
  }
  return problems;
}

function unknownServices({ path, value }: Item, names: ReadonlySet<string>): PathProblem[] {
  const services = value['services'];
  if (!Array.isArray(services)) return [];
  return services.flatMap((service, index) => unknownService(service, [...path, 'services', index], names));
}

function stepProblems(document: Raw): PathProblem[] {
  const steps = record(document, 'activation')['steps'];
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every((step) => typeof step === 'number')) return [];
  const path = ['activation', 'steps'];
  const problems: PathProblem[] = [];
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    if (before !== undefined && step <= before) {
      const message = `does not rise: ${step} comes after ${before}`;
      problems.push({ code: 'bad-value', path: [...path, index], message, expected: `more than ${before}` });
    }
  }
  if (steps.at(-1) !== 100) {
    const message = `ends at ${String(steps.at(-1))} percent`;
    problems.push({ code: 'bad-value', path: [...path, steps.length - 1], message, expected: '100 as the last step' });
  }
  return problems;
}

function seasonProblems(document: Raw): PathProblem[] {
  const seasons = record(document, 'forecast')['seasons'];
  if (!Array.isArray(seasons)) return [];
  return seasons.flatMap((season: unknown, index): PathProblem[] => {
    const before: unknown = seasons[index - 1];
    if (typeof season !== 'number' || typeof before !== 'number' || season > before) return [];
    const path = ['forecast', 'seasons', index];
    return [
      {
        code: 'bad-value',
        path,
        message: `does not rise: ${season} comes after ${before}`,
        expected: 'rising lengths in steps',
      },
    ];
  });
}

function unknownService(name: unknown, path: Path, names: ReadonlySet<string>): PathProblem[] {
  if (typeof name !== 'string' || name === '' || names.has(name)) return [];
  const expected = names.size === 0 ? 'a service of this file' : `one of ${[...names].join(', ')}`;
  const meant = nearestName(name, [...names]);
  const fix = meant === undefined ? 'add the service or mend the name' : `did you mean "${meant}"?`;
  const message = `names "${name.slice(0, 63)}", which is not a service here`;
  return [{ code: 'unknown-service', path, message, expected, fix }];
}

function duplicates(
  list: readonly Item[],
  inner: readonly string[],
  code: string,
  what: string,
  normalise: (value: string) => string = (value) => value,
): PathProblem[] {
  const first = new Map<string, Path>();
  const problems: PathProblem[] = [];
  for (const { path, value } of list) {
    let found: unknown = value;
    for (const key of inner) found = isRecord(found) ? found[key] : undefined;
    if (typeof found !== 'string') continue;
    const key = normalise(found);
    const before = first.get(key);
    if (before === undefined) first.set(key, path);
    else {
      const message = `repeats the ${what} "${found.slice(0, 63)}" of ${fieldPath(before)}`;
      problems.push({ code, path: [...path, ...inner], message, fix: 'give each its own' });
    }
  }
  return problems;
}

function socketsOf(entry: unknown): readonly SocketSpec[] {
  if (typeof entry === 'string') {
    const parsed = parseSockets(entry);
    return parsed.ok ? parsed.sockets : [];
  }
  if (!isRecord(entry)) return [];
  const { address, port, at } = entry;
  if (typeof at === 'string') return socketsOf(at);
  return typeof address === 'string' && typeof port === 'number' ? [{ address, port }] : [];
}

function isLoopback({ address }: SocketSpec): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function trimSlash(prefix: string): string {
  return prefix.length > 1 ? prefix.replace(/\/+$/, '') : prefix;
}
