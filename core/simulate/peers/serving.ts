import { meanOf } from '../engine/workTime.js';
import type { TwinModel, TwinService } from '../model.js';

/** What an operator measures once: how long one request holds a worker of each service when nothing queues, ms. */
export function holdMsByService(model: TwinModel): ReadonlyMap<string, number> {
  const known = new Map(model.services.map((service) => [service.name, service]));
  return new Map(
    model.services.map((service) => {
      const calls = (service.holdsWorker ?? true) ? callsMs(known, service, new Set([service.name])) : 0;
      return [service.name, meanOf(service.time) + calls];
    }),
  );
}

/** Stages follow each other, the calls of one go out together. A circle of calls is counted once. */
function callsMs(known: ReadonlyMap<string, TwinService>, caller: TwinService, seen: ReadonlySet<string>): number {
  let sum = 0;
  for (const stage of caller.stages) {
    const times = stage.map(({ service: name, callsPerRequest }) => {
      const callee = known.get(name);
      if (callee === undefined || seen.has(name)) return 0;
      const one = meanOf(callee.time) + callsMs(known, callee, new Set([...seen, name]));
      return one * Math.min(1, callsPerRequest);
    });
    sum += Math.max(0, ...times);
  }
  return sum;
}

/** Services that requests of each entry reach, the entry's own first. */
export function servicesByEntry(model: TwinModel): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map(model.services.map((service) => [service.name, service]));
  return new Map(
    model.entries.map(({ name: entry, service }) => {
      const reached = new Set([service]);
      for (const name of reached) {
        for (const call of known.get(name)?.stages.flat() ?? []) {
          if ((call.byEntry?.[entry] ?? call.callsPerRequest) > 0) reached.add(call.service);
        }
      }
      return [entry, reached];
    }),
  );
}

/** The shortest deadline of the entries that reach each service, ms; services that none reaches are absent. */
export function deadlineByService(model: TwinModel): ReadonlyMap<string, number> {
  const reached = servicesByEntry(model);
  const shortest = new Map<string, number>();
  for (const { name, deadlineMs } of model.entries) {
    for (const service of reached.get(name) ?? []) {
      shortest.set(service, Math.min(deadlineMs, shortest.get(service) ?? Infinity));
    }
  }
  return shortest;
}
