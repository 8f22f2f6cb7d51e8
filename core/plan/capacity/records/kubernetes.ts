import { shown } from '../../../graph/sources/numbers.js';
import type { JsonPart } from '../../../graph/sources/jsonText.js';
import { isRecord, record } from '../../../spec/rawDocument.js';
import type { Raw } from '../../../spec/rawDocument.js';
import { LONGEST_START_SECONDS } from './pastDeployment.js';
import type { PastDeployment } from './pastDeployment.js';
import { quantityOf } from './quantity.js';
import { timeOf } from './timeOf.js';

type Path = readonly PropertyKey[];

interface KubernetesObject {
  value: Raw;
  path: Path;
}

/** By which a workload is called, the first that is there: as Istio's canonical service. */
const NAME_LABELS = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'];
/** Of a Deployment, StatefulSet or ReplicaSet: what all its instances answered, and how fast, when last measured. */
const THROUGHPUT = 'psmg/throughput-rps';
const P99 = 'psmg/p99-ms';
/** Runs beside an instance and is not part of it. */
const PROXIES = new Set(['istio-proxy', 'linkerd-proxy', 'envoy']);
const WITH_REPLICAS = new Set(['Deployment', 'StatefulSet', 'ReplicaSet']);
const IN_ITEMS = /^(Pod|Deployment|StatefulSet|ReplicaSet)?List$/;

/** Whether a JSON value is what `kubectl get … -o json` writes. */
export function isKubernetes(value: unknown): boolean {
  return isRecord(value) && typeof value['kind'] === 'string' && typeof value['apiVersion'] === 'string';
}

/**
 * Records from `kubectl get deployments,replicasets,pods -o json`: one for each pod that became ready, from its creation
 * to the condition `Ready`; and one for each workload whose annotations say what its instances answered. Other objects
 * are passed over. Pods whose containers were started again are too, as `Ready` then tells of the last start only.
 */
export function recordsOfKubernetes(part: JsonPart): readonly PastDeployment[] {
  const objects = objectsOf(part.value, []);
  const pods = objects.filter(({ value }) => value['kind'] === 'Pod');
  const workloads = objects.filter(({ value }) => WITH_REPLICAS.has(String(value['kind'])));
  return [
    ...pods.flatMap((pod) => startOf(pod, part, instancesOf(pod, pods, workloads))),
    ...workloads.flatMap((workload) => throughputOf(workload, part)),
  ].sort((a, b) => a.at - b.at);
}

function objectsOf(value: unknown, path: Path): KubernetesObject[] {
  if (!isRecord(value)) return [];
  const { kind, items } = value;
  if (!IN_ITEMS.test(String(kind)) || !Array.isArray(items)) return [{ value, path }];
  const inner = String(kind).slice(0, -'List'.length);
  return items.flatMap((item: unknown, i): KubernetesObject[] => {
    if (!isRecord(item)) return [];
    // The items of a typed list do not say their kind.
    return [{ value: 'kind' in item || inner === '' ? item : { ...item, kind: inner }, path: [...path, 'items', i] }];
  });
}

function startOf({ value, path }: KubernetesObject, part: JsonPart, instances: number): PastDeployment[] {
  const ready = conditionOf(value, 'Ready');
  if (ready === undefined || ready.value['status'] !== 'True' || restartsOf(value) > 0) return [];
  const created = timeOf(
    record(value, 'metadata')['creationTimestamp'],
    [...path, 'metadata', 'creationTimestamp'],
    part,
  );
  const readyPath = [...path, 'status', 'conditions', ready.index, 'lastTransitionTime'];
  const readyAt = timeOf(ready.value['lastTransitionTime'], readyPath, part);
  const service = serviceOf(value, part, path);
  const resources = resourcesOf(record(value, 'spec'), [...path, 'spec'], part);
  if (created === null || readyAt === null || service === null || resources === null) return [];
  const startupSeconds = (readyAt - created) / 1000;
  if (startupSeconds < 0) {
    part.fail('bad-value', readyPath, 'is before the pod was created', `after ${new Date(created).toISOString()}`);
    return [];
  }
  // It was ready before, and became so again.
  if (startupSeconds > LONGEST_START_SECONDS) return [];
  return [{ at: created, service, instances, startupSeconds, ...resources }];
}

function throughputOf({ value, path }: KubernetesObject, part: JsonPart): PastDeployment[] {
  const annotations = record(record(value, 'metadata'), 'annotations');
  if (annotations[THROUGHPUT] === undefined) return [];
  const at = timeOf(record(value, 'metadata')['creationTimestamp'], [...path, 'metadata', 'creationTimestamp'], part);
  const number = (name: string): number | null => {
    const text = annotations[name];
    const found = typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
    if (found === null) {
      const place = [...path, 'metadata', 'annotations', name];
      part.fail('bad-value', place, `${shown(text)} is not a number in quotes`, '"120.5"');
    }
    return found;
  };
  const throughputRps = number(THROUGHPUT);
  const p99Ms = annotations[P99] === undefined ? undefined : number(P99);
  const template = record(record(value, 'spec'), 'template');
  const service = serviceOf(
    { ...template, metadata: { ...record(template, 'metadata'), ...nameOf(value) } },
    part,
    path,
  );
  const resources = resourcesOf(record(template, 'spec'), [...path, 'spec', 'template', 'spec'], part);
  const ready = record(value, 'status')['readyReplicas'];
  const instances = countIn(ready) ?? countIn(record(value, 'spec')['replicas']) ?? 1;
  if (at === null || throughputRps === null || p99Ms === null || service === null || resources === null) return [];
  return [{ at, service, instances, throughputRps, ...(p99Ms === undefined ? {} : { p99Ms }), ...resources }];
}

function nameOf(value: Raw): { name?: unknown } {
  const { name } = record(value, 'metadata');
  return name === undefined ? {} : { name };
}

function conditionOf(pod: Raw, type: string): { value: Raw; index: number } | undefined {
  const { conditions } = record(pod, 'status');
  if (!Array.isArray(conditions)) return undefined;
  const index = conditions.findIndex((one: unknown) => isRecord(one) && one['type'] === type);
  const value: unknown = conditions[index];
  return isRecord(value) ? { value, index } : undefined;
}

function restartsOf(pod: Raw): number {
  const { containerStatuses } = record(pod, 'status');
  if (!Array.isArray(containerStatuses)) return 0;
  return containerStatuses.reduce((sum: number, one: unknown) => {
    const restarts = isRecord(one) ? one['restartCount'] : 0;
    return sum + (typeof restarts === 'number' ? restarts : 0);
  }, 0);
}

function serviceOf(object: Raw, part: JsonPart, path: Path): string | null {
  const metadata = record(object, 'metadata');
  const labels = record(metadata, 'labels');
  const named = NAME_LABELS.map((label) => labels[label]).find((name) => typeof name === 'string' && name !== '');
  const name = named ?? ownerOf(metadata)?.workload ?? metadata['name'];
  if (typeof name === 'string' && name !== '') return name;
  part.fail(
    'bad-value',
    [...path, 'metadata'],
    'has no name',
    `one of the labels ${NAME_LABELS.join(', ')}, or a name`,
  );
  return null;
}

/** A ReplicaSet is named after its Deployment, with the hash of its template behind. */
function ownerOf(metadata: Raw): { name: string; workload: string } | null {
  const owners = metadata['ownerReferences'];
  const owner: unknown = Array.isArray(owners) ? owners[0] : undefined;
  const name = isRecord(owner) ? owner['name'] : undefined;
  if (typeof name !== 'string' || name === '') return null;
  const hash = record(metadata, 'labels')['pod-template-hash'];
  const suffix = `-${typeof hash === 'string' ? hash : ''}`;
  return { name, workload: suffix !== '-' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name };
}

/** What its workload wants; where that is not told, the pods there are of the same owner. */
function instancesOf(
  { value }: KubernetesObject,
  pods: readonly KubernetesObject[],
  workloads: readonly KubernetesObject[],
): number {
  const metadata = record(value, 'metadata');
  const owner = ownerOf(metadata);
  if (owner === null) return 1;
  const names = [owner.name, owner.workload];
  for (const name of names) {
    const workload = workloads.find(({ value: one }) => {
      const { name: own, namespace } = record(one, 'metadata');
      return own === name && namespace === metadata['namespace'];
    });
    const replicas = countIn(record(workload?.value ?? {}, 'spec')['replicas']);
    if (replicas !== null) return replicas;
  }
  const together = pods.filter(({ value: one }) => {
    const other = record(one, 'metadata');
    return ownerOf(other)?.name === owner.name && other['namespace'] === metadata['namespace'];
  });
  return Math.max(1, together.length);
}

function countIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null;
}

/** What one instance asks for, or is limited to where it asks for nothing; of all its containers but proxies. */
function resourcesOf(spec: Raw, path: Path, part: JsonPart): { cpu?: number; memoryMiB?: number } | null {
  const { containers } = spec;
  let sound = true;
  const sum = (resource: 'cpu' | 'memory'): number => {
    let total = 0;
    for (const [i, container] of (Array.isArray(containers) ? containers : []).entries()) {
      if (!isRecord(container) || PROXIES.has(String(container['name']))) continue;
      const stated = record(container, 'resources');
      const from = record(stated, 'requests')[resource] === undefined ? 'limits' : 'requests';
      const value = record(stated, from)[resource];
      const quantity = value === undefined ? 0 : quantityOf(value);
      if (quantity === null) {
        sound = false;
        const place = [...path, 'containers', i, 'resources', from, resource];
        part.fail('bad-value', place, `${shown(value)} is not a quantity`, 'e.g. "250m" or "512Mi"');
      } else total += quantity;
    }
    return total;
  };
  const [cpu, memory] = [sum('cpu'), sum('memory')];
  if (!sound) return null;
  return { ...(cpu > 0 ? { cpu } : {}), ...(memory > 0 ? { memoryMiB: memory / 2 ** 20 } : {}) };
}
