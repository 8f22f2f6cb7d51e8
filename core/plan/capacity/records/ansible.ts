import { shown } from '../../../graph/sources/numbers.js';
import type { JsonPart } from '../../../graph/sources/jsonText.js';
import { isRecord, record } from '../../../spec/rawDocument.js';
import type { Raw } from '../../../spec/rawDocument.js';
import { LONGEST_START_SECONDS } from './pastDeployment.js';
import type { PastDeployment } from './pastDeployment.js';
import { timeOf } from './timeOf.js';

/** Names by which tasks tell what they do; a role's name and a colon may stand before. Both capture the service. */
const STARTS = /^(?:start|restart|deploy|launch|roll out) (?:the )?(?:service )?([a-z0-9][a-z0-9-]*)\b/i;
const WAITS =
  /^wait (?:until|for) (?:the )?(?:service )?([a-z0-9][a-z0-9-]*) (?:is|to be|to become) (?:ready|up|healthy)\b/i;

/** One task, whose name says which service it starts or waits for. */
interface ServiceTask {
  service: string;
  does: 'start' | 'wait';
}

function serviceTask(name: unknown): ServiceTask | null {
  const own = typeof name === 'string' ? name.replace(/^[^:]* : /, '') : '';
  const [, started] = STARTS.exec(own) ?? [];
  if (started !== undefined) return { service: started, does: 'start' };
  const [, awaited] = WAITS.exec(own) ?? [];
  return awaited === undefined ? null : { service: awaited, does: 'wait' };
}

/** Whether a JSON value is what Ansible's `json` callback prints. */
export function isAnsibleRun(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value['plays']);
}

/** Whether a JSON value is a line of the events of our own deployments. */
export function isAnsibleEvent(value: unknown): boolean {
  return isRecord(value) && 'at' in value && 'type' in value && !('service' in value);
}

/**
 * Records from the output of Ansible's `json` callback: in each play, from the begin of the task that starts a service to
 * the end of the task that waits until it is ready, for the hosts on which that went well. The callback has no time of
 * each host: the slowest counts. What was answered is taken from `set_stats` under `psmg`.
 */
export function recordsOfAnsibleRun(part: JsonPart): readonly PastDeployment[] {
  const run = part.value as Raw;
  const stats = record(record(run, 'global_custom_stats'), 'psmg');
  return (run['plays'] as readonly unknown[]).flatMap((play, p) => {
    const { tasks } = isRecord(play) ? play : {};
    if (!Array.isArray(tasks)) return [];
    const begun = new Map<string, number>();
    return tasks.flatMap((one: unknown, t): PastDeployment[] => {
      const task = record(isRecord(one) ? one : {}, 'task');
      const found = serviceTask(task['name']);
      if (found === null || !isRecord(one)) return [];
      const path = ['plays', p, 'tasks', t, 'task', 'duration'];
      const edge = found.does === 'start' ? 'start' : 'end';
      const at = timeOf(record(task, 'duration')[edge], [...path, edge], part);
      if (at === null) return [];
      if (found.does === 'start') {
        begun.set(found.service, at);
        return [];
      }
      const hosts = Object.values(record(one, 'hosts')).filter(wentWell).length;
      return startRecord(found.service, begun.get(found.service), at, hosts, () =>
        part.fail('bad-value', [...path, edge], 'is before the service was started'),
      ).map((start) => ({ ...start, ...answered(record(stats, found.service), found.service, part) }));
    });
  });
}

function startRecord(
  service: string,
  at: number | undefined,
  readyAt: number,
  instances: number,
  refuse: () => void,
): PastDeployment[] {
  // Waiting for what nobody started here says nothing of its start.
  if (at === undefined || instances === 0) return [];
  const startupSeconds = (readyAt - at) / 1000;
  if (startupSeconds < 0) refuse();
  return startupSeconds < 0 || startupSeconds > LONGEST_START_SECONDS
    ? []
    : [{ at, service, instances, startupSeconds }];
}

function wentWell(result: unknown): boolean {
  return isRecord(result) && !['failed', 'unreachable', 'skipped'].some((flag) => result[flag] === true);
}

function answered(stats: Raw, service: string, part: JsonPart): { throughputRps?: number; p99Ms?: number } {
  const found: { throughputRps?: number; p99Ms?: number } = {};
  for (const field of ['throughputRps', 'p99Ms'] as const) {
    const value = stats[field];
    if (value === undefined) continue;
    if (typeof value === 'number' && value > 0 && value < 1e9) found[field] = value;
    else {
      const path = ['global_custom_stats', 'psmg', service, field];
      part.fail('bad-value', path, `${shown(value)} is not a number > 0`, 'a number > 0');
    }
  }
  return found;
}

interface Started {
  at: number;
  ready: { at: number; part: JsonPart }[];
}

/**
 * Records from the events of a run (`events.jsonl` of its folder): one for each host, from the begin of the task that
 * starts a service to the end, on that host, of the task that waits until it is ready.
 */
export function recordsOfAnsibleEvents(parts: readonly JsonPart[]): readonly PastDeployment[] {
  const begun = new Map<string, Started>();
  const ended: PastDeployment[] = [];
  const close = (service: string): void => {
    const start = begun.get(service);
    begun.delete(service);
    for (const { at, part } of start?.ready ?? []) {
      const refuse = (): void => part.fail('bad-value', ['at'], 'is before the service was started');
      ended.push(...startRecord(service, start?.at, at, start?.ready.length ?? 0, refuse));
    }
  };
  for (const part of parts) {
    const event = isRecord(part.value) ? part.value : {};
    const { at, type } = event;
    if (typeof at !== 'number' || !(at >= 0 && at < 8.64e15) || typeof type !== 'string') {
      part.fail('bad-value', ['at'], 'is not an event of a run', '{"at": ms, "type": "task", …}');
      continue;
    }
    if (type === 'play') [...begun.keys()].forEach(close);
    const found = serviceTask(event['task']);
    if (found === null) continue;
    if (found.does === 'start' && type === 'task') {
      close(found.service);
      begun.set(found.service, { at, ready: [] });
    } else if (found.does === 'wait' && (type === 'ok' || type === 'changed')) {
      begun.get(found.service)?.ready.push({ at, part });
    }
  }
  [...begun.keys()].forEach(close);
  return ended;
}
