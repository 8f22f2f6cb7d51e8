import { ok, refused } from '../../spec/problem.js';
import type { Result } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import type { Raw } from '../../spec/rawDocument.js';
import { HINT_CONFIDENCE, START_ORDER_CONFIDENCE } from '../edgeSet.js';
import type { EdgeSet } from '../edgeSet.js';
import { hostsIn, isStore } from './hostHints.js';
import { HintSet } from './hintSet.js';
import { shown } from './numbers.js';
import { readYaml } from './yamlText.js';

/**
 * Hints in a Compose file: hosts of other services in `environment`, `command`, `entrypoint` and `links`, and, worth
 * less, `depends_on`: an order of start-up is no call (DeathStarBench's frontend depends on Consul alone, and calls seven
 * services). Stores and brokers, told by their image, are left out.
 */
export function parseCompose(text: string, file: string): Result<EdgeSet> {
  const { parts, problems } = readYaml(text, file);
  const hints = new HintSet(file);
  if (parts.length === 0 && problems.length === 0) {
    problems.push({ code: 'graph-empty', file, field: 'services', message: 'is empty' });
  }
  for (const part of parts) {
    const services = isRecord(part.value) ? part.value['services'] : undefined;
    if (!isRecord(services)) {
      const at = { ...part.placeOf(['services']), field: 'services' };
      problems.push({
        code: 'graph-shape',
        ...at,
        message: `is ${shown(services)}`,
        expected: 'a mapping of services',
      });
      continue;
    }
    const names = hostNames(services);
    const stores = new Set(Object.keys(services).filter((name) => isStore(imageOf(services[name]))));
    for (const [name, service] of Object.entries(services)) {
      if (!isRecord(service)) {
        const at = { ...part.placeOf(['services', name]), field: `services.${name}` };
        problems.push({ code: 'graph-shape', ...at, message: `is ${shown(service)}`, expected: 'a service' });
      } else if (!stores.has(name)) readService(name, service, names, stores, hints);
    }
  }
  return problems.length > 0 ? refused(problems) : ok(hints.toEdgeSet());
}

function imageOf(service: unknown): unknown {
  return isRecord(service) ? service['image'] : undefined;
}

/** Names by which a service is reached: its own, its container's and its host's. */
function hostNames(services: Raw): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, service] of Object.entries(services)) {
    const others = isRecord(service) ? [service['container_name'], service['hostname']] : [];
    for (const other of others) if (typeof other === 'string' && !names.has(other)) names.set(other, name);
  }
  for (const name of Object.keys(services)) names.set(name, name);
  return names;
}

function readService(
  name: string,
  service: Raw,
  names: ReadonlyMap<string, string>,
  stores: ReadonlySet<string>,
  hints: HintSet,
): void {
  hints.addService(name);
  const add = (host: string, confidence: number): void => {
    const callee = names.get(host);
    if (callee === undefined || callee === name) return;
    if (stores.has(callee)) hints.leaveOut(callee);
    else hints.add(name, callee, confidence);
  };
  for (const [variable, value] of environmentOf(service)) {
    for (const { host } of hostsIn(variable, value)) add(host, HINT_CONFIDENCE);
  }
  for (const key of ['command', 'entrypoint']) {
    for (const value of texts(service[key])) for (const { host } of hostsIn('', value)) add(host, HINT_CONFIDENCE);
  }
  for (const link of texts(service['links'])) add(link.split(':')[0] ?? '', HINT_CONFIDENCE);
  const order = service['depends_on'];
  for (const other of isRecord(order) ? Object.keys(order) : texts(order)) add(other, START_ORDER_CONFIDENCE);
}

/** As a mapping, or as a list of `NAME=value`. */
function environmentOf(service: Raw): [string, string][] {
  const environment = service['environment'];
  if (isRecord(environment)) {
    return Object.entries(environment).filter((one): one is [string, string] => typeof one[1] === 'string');
  }
  return texts(environment).map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
}

function texts(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === 'string');
}
