import { ok, refused } from '../../spec/problem.js';
import type { Result } from '../../spec/problem.js';
import { isRecord, record } from '../../spec/rawDocument.js';
import type { Raw } from '../../spec/rawDocument.js';
import { HINT_CONFIDENCE } from '../edgeSet.js';
import type { EdgeSet } from '../edgeSet.js';
import { hostsIn, isStore } from './hostHints.js';
import type { HostMention } from './hostHints.js';
import { HintSet } from './hintSet.js';
import { readYaml } from './yamlText.js';

/**
 * Hints in Kubernetes manifests (several documents, lists of kind `List` too): variables, arguments and referred config
 * maps of a workload that name the host of another Service of the same set. A workload is named by the Service that
 * selects its pods, else by itself.
 */
export function parseKubernetes(text: string, file: string): Result<EdgeSet> {
  const { parts, problems } = readYaml(text, file);
  const objects = parts.flatMap((part) => objectsOf(part.value));
  if (problems.length === 0 && objects.length === 0) {
    const expected = 'manifests with apiVersion and kind';
    problems.push({ code: 'graph-empty', file, field: '(document)', message: 'holds no Kubernetes object', expected });
  }
  if (problems.length > 0) return refused(problems);
  const set = setOf(objects);
  const hints = new HintSet(file);
  for (const workload of set.workloads) readWorkload(workload, set, hints);
  return ok(hints.toEdgeSet());
}

interface Workload {
  /** By which it is called. */
  service: string;
  namespace: string;
  spec: Raw;
}

interface ManifestSet {
  workloads: readonly Workload[];
  /** Services by `namespace/name`. */
  services: ReadonlySet<string>;
  /** Services that stores stand behind, likewise. */
  stores: ReadonlySet<string>;
  /** Data of config maps by `namespace/name`. */
  configMaps: ReadonlyMap<string, Raw>;
}

function objectsOf(value: unknown): Raw[] {
  if (!isRecord(value) || typeof value['kind'] !== 'string') return [];
  const items = value['items'];
  if (value['kind'].endsWith('List') && Array.isArray(items)) return items.flatMap(objectsOf);
  return [value];
}

function setOf(objects: readonly Raw[]): ManifestSet {
  const services = objects.filter((object) => object['kind'] === 'Service');
  const configMaps = objects.filter((object) => object['kind'] === 'ConfigMap');
  const workloads = objects.flatMap((object) => workloadOf(object, services));
  const stores = workloads.filter(({ spec }) => containersOf(spec).some(({ image }) => isStore(image)));
  return {
    workloads,
    services: new Set(services.map(keyOf)),
    stores: new Set(stores.map(({ namespace, service }) => `${namespace}/${service}`)),
    configMaps: new Map(configMaps.map((map) => [keyOf(map), record(map, 'data')])),
  };
}

function workloadOf(object: Raw, services: readonly Raw[]): Workload[] {
  const template = templateOf(object);
  if (template === null) return [];
  const namespace = namespaceOf(object);
  const labels = record(record(template, 'metadata'), 'labels');
  const selecting = services.filter((service) => {
    const selector = Object.entries(record(record(service, 'spec'), 'selector'));
    return (
      namespaceOf(service) === namespace &&
      selector.length > 0 &&
      selector.every(([key, value]) => labels[key] === value)
    );
  });
  // Of several (a headless one beside another, say) the shortest name is the plain one.
  const names = selecting.map(nameOf).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const service = names[0] ?? nameOf(object);
  return service === '' ? [] : [{ service, namespace, spec: record(template, 'spec') }];
}

/** The pod that an object describes: itself, its template, or that of the jobs it starts. */
function templateOf(object: Raw): Raw | null {
  if (object['kind'] === 'Pod') return object;
  const spec = record(object, 'spec');
  const holder = isRecord(spec['jobTemplate']) ? record(record(spec, 'jobTemplate'), 'spec') : spec;
  const template = holder['template'];
  return isRecord(template) && isRecord(template['spec']) ? template : null;
}

function readWorkload(workload: Workload, set: ManifestSet, hints: HintSet): void {
  const { service, namespace, spec } = workload;
  if (set.stores.has(`${namespace}/${service}`)) return;
  hints.addService(service);
  for (const container of containersOf(spec)) {
    for (const [name, value] of valuesOf(container, namespace, set.configMaps)) {
      for (const mention of hostsIn(name, value)) {
        const callee = calleeOf(mention, namespace, set.services);
        if (callee === null || callee.name === service) continue;
        if (set.stores.has(callee.key)) hints.leaveOut(callee.name);
        else hints.add(service, callee.name, HINT_CONFIDENCE);
      }
    }
  }
}

/** `checkout`, `checkout.shop` and `checkout.shop.svc.cluster.local`. */
function calleeOf(
  { host, domain }: HostMention,
  namespace: string,
  services: ReadonlySet<string>,
): { key: string; name: string } | null {
  const [, other = namespace, suffix = 'svc'] = domain.split('.');
  const key = `${other}/${host}`;
  return suffix === 'svc' && services.has(key) ? { key, name: host } : null;
}

function containersOf(spec: Raw): Raw[] {
  return ['containers', 'initContainers'].flatMap((key) => {
    const list = spec[key];
    return Array.isArray(list) ? list.filter(isRecord) : [];
  });
}

function valuesOf(container: Raw, namespace: string, configMaps: ReadonlyMap<string, Raw>): [string, string][] {
  const values: [string, unknown][] = ['command', 'args'].flatMap((key) => listOf(container[key]).map(optionOf));
  const dataOf = (reference: Raw): Raw => configMaps.get(`${namespace}/${String(reference['name'])}`) ?? {};
  for (const variable of listOf(container['env']).filter(isRecord)) {
    const reference = record(record(variable, 'valueFrom'), 'configMapKeyRef');
    const value = variable['value'] ?? dataOf(reference)[String(reference['key'])];
    values.push([String(variable['name']), value]);
  }
  for (const source of listOf(container['envFrom']).filter(isRecord)) {
    values.push(...Object.entries(dataOf(record(source, 'configMapRef'))));
  }
  return values.filter((one): one is [string, string] => typeof one[1] === 'string');
}

/** `--cart-host=cart`: an option's name says as much as a variable's. */
function optionOf(argument: unknown): [string, unknown] {
  const parts = typeof argument === 'string' ? /^--?([\w-]+)=(.*)$/s.exec(argument) : null;
  return parts === null ? ['', argument] : [parts[1] ?? '', parts[2]];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function keyOf(object: Raw): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

function nameOf(object: Raw): string {
  const name = record(object, 'metadata')['name'];
  return typeof name === 'string' ? name : '';
}

function namespaceOf(object: Raw): string {
  const namespace = record(object, 'metadata')['namespace'];
  return typeof namespace === 'string' ? namespace : 'default';
}
