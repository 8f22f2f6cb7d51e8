import { duplicates, isText, trimSlash, unknownService } from './checkParts.js';
import { eventSourceProblems } from './eventSourceChecks.js';
import { fieldPath } from './fieldPath.js';
import { approvalProblems, freezeProblems } from './freezeChecks.js';
import { circlesOf, circleText } from './graphCycles.js';
import { historyProblems } from './historyChecks.js';
import { parseInstant } from './instant.js';
import { inboundProblems } from './inboundChecks.js';
import type { Item, Path, Raw } from './rawDocument.js';
import { items, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';
import { signalsProblems } from './signalSourceChecks.js';
import { endpointSockets, hostsOf, socketProblems } from './socketChecks.js';
import { costProblems, survivalProblems, tlsProblems, traitProblems } from './traitChecks.js';

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
    ...services.flatMap(traitProblems),
    ...socketProblems(document, services),
    ...inboundProblems(document, services, names),
    ...hostProblems(hostsOf(document)),
    ...graphProblems(items(record(document, 'graph'), 'edges', ['graph']), names),
    ...neighbourProblems(items(document, 'neighbours'), names, document['name']),
    ...eventProblems(items(document, 'events'), names),
    ...eventSourceProblems(sources),
    ...sources.flatMap((source) => unknownServices(source, names)),
    ...stepProblems(document),
    ...seasonProblems(document),
    ...historyProblems(document, names),
    ...signalsProblems(document, names),
    ...survivalProblems(document, services),
    ...costProblems(document),
    ...tlsProblems(document),
    ...approvalProblems(document),
    ...freezeProblems(document),
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
  const calls: { caller: string; callee: string; callsPerRequest: number; path: Path }[] = [];
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
    const rate = value['callsPerRequest'];
    calls.push({ caller, callee, callsPerRequest: typeof rate === 'number' && rate < Infinity ? rate : 0, path });
  }
  for (const circle of circlesOf(calls).filter((one) => one.endless)) {
    const inside = new Set(circle.services);
    const edge = calls.findLast((call) => inside.has(call.caller) && inside.has(call.callee));
    problems.push({
      code: 'cycle',
      path: edge?.path ?? ['graph', 'edges'],
      message: `closes a circle of calls of gain ${Number(circle.gain.toPrecision(4))}: ${circleText(circle)}`,
      expected: 'a gain below 1, so that the calls come to an end',
      fix: 'remove one of these edges or lower its callsPerRequest',
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
