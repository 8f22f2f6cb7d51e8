import { isText, unknownService } from './checkParts.js';
import { fieldPath } from './fieldPath.js';
import type { Item, Path, Raw } from './rawDocument.js';
import { items, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';
import { socketKey } from './socket.js';
import { endpointSockets, hostsOf, socketsOf } from './socketChecks.js';

/** What must hold between the proxies in front of instances (`proxy.inbound`) and the services they belong to. */
export function inboundProblems(document: Raw, services: readonly Item[], names: ReadonlySet<string>): PathProblem[] {
  const inbound = hostsOf(document).flatMap(({ path, value }) =>
    items(record(value, 'proxy'), 'inbound', [...path, 'proxy']),
  );
  const endpoints = new Map(
    services.map((service) => [
      service.value['name'],
      new Map(endpointSockets(service).map(({ socket, path }) => [socketKey(socket), path])),
    ]),
  );
  const covered = new Map<string, Path>();
  const problems: PathProblem[] = [];
  for (const { path, value } of inbound) {
    const { service } = value;
    problems.push(...unknownService(service, [...path, 'service'], names));
    const own = endpoints.get(service);
    if (own === undefined) continue;
    const at = [...path, 'socket'];
    for (const socket of socketsOf(value['socket'])) {
      const key = socketKey(socket);
      const before = covered.get(key);
      if (!own.has(key)) {
        const message = `is ${key}, which is no endpoint of ${String(service)}: nobody would call there`;
        problems.push({ code: 'no-endpoint', path: at, message, fix: 'list it under "endpoints" of the service' });
      } else if (before !== undefined) {
        const message = `listens on ${key}, which ${fieldPath(before)} takes already`;
        problems.push({ code: 'duplicate-endpoint', path: at, message, fix: 'keep one of the two' });
      } else covered.set(key, at);
    }
  }
  return [...problems, ...services.flatMap((service) => coverProblems(service, covered))];
}

/** Limits in front of instances hold only where all of a service's instances have them. */
function coverProblems(service: Item, covered: ReadonlyMap<string, Path>): PathProblem[] {
  const endpoints = endpointSockets(service);
  const open = endpoints.filter(({ socket }) => !covered.has(socketKey(socket)));
  const [first] = open;
  if (first === undefined) return [];
  const behind = endpoints.length - open.length;
  if (behind > 0) {
    const message = `${socketKey(first.socket)} has no proxy in front of it, and ${behind} of ${endpoints.length} endpoints have one`;
    const fix = 'list it under "inbound" of the host where it runs, or take the others out';
    return [{ code: 'partly-inbound', path: first.path, message, expected: 'all endpoints of a service or none', fix }];
  }
  if (service.value['protocol'] !== 'tcp') return [];
  const name = isText(service.value['name']) ? service.value['name'] : 'it';
  const message = `is tcp, but no proxy stands in front of ${name}: bytes say nothing of where they belong`;
  const fix = 'list its endpoints under "inbound" of the hosts where they run';
  return [{ code: 'contradiction', path: [...service.path, 'protocol'], message, fix }];
}
