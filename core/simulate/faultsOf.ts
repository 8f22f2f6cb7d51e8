import { z } from 'zod';

import { nearestName } from '../spec/nearest.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { nonEmpty } from '../spec/schemaParts.js';
import type { PathProblem } from '../spec/schemaProblems.js';
import { placeProblem, schemaProblems } from '../spec/schemaProblems.js';
import { readYamlMapping } from '../spec/yamlDocument.js';
import type { TwinFault, TwinModel } from './model.js';

const KINDS = ['slowInstance', 'slowService', 'failing', 'instanceDown', 'zoneLost', 'network', 'coldStart'] as const;
const EXAMPLE = 'faults: [{ kind: slowInstance, service: checkout, factor: 4, fromSeconds: 10, toSeconds: 40 }]';

const seconds = z.number().min(0).max(86_400);
const span = { fromSeconds: seconds, toSeconds: seconds.optional() };
const place = { service: nonEmpty, region: nonEmpty.optional() };
const index = z.int().min(0);
const factor = z.number().min(0.01).max(1000);
const how = z.enum(['refuses', 'silent']).default('refuses');

const fault = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('slowInstance'), ...place, instance: index.default(0), factor, ...span }),
    z.strictObject({ kind: z.literal('slowService'), ...place, factor, ...span }),
    z.strictObject({
      ...{ kind: z.literal('failing'), ...place, instance: index.optional(), ...span },
      errorShare: z.number().min(0).max(1),
    }),
    z.strictObject({ kind: z.literal('instanceDown'), ...place, instance: index.default(0), how, ...span }),
    z.strictObject({ kind: z.literal('zoneLost'), zone: nonEmpty, region: nonEmpty.optional(), how, ...span }),
    z.strictObject({
      ...{ kind: z.literal('network'), between: z.tuple([nonEmpty, nonEmpty]), ...span },
      addMs: z.number().min(0).max(60_000),
    }),
    z.strictObject({
      ...{ kind: z.literal('coldStart'), ...place, fromSeconds: seconds },
      instances: z.array(index).min(1).optional(),
    }),
  ],
  { error: `is no kind of fault (expected ${KINDS.join(', ')})` },
);
const document = z.strictObject({ faults: z.array(fault).min(1).max(1000) });

type FaultEntry = z.output<typeof fault>;

/**
 * Reads a file of faults, YAML 1.2 or JSON: `faults:` with a list of `{ kind, … , fromSeconds, toSeconds }` in seconds of
 * simulated time; without `toSeconds` a fault lasts to the end. Refused whole, with every problem in its place, when a
 * fault names what none of `models` has. An instance is one of those that run, counted from 0.
 */
export function faultsOf(text: string, models: readonly TwinModel[], file?: string): Result<TwinFault[]> {
  const read = readYamlMapping(text, file);
  if (!read.ok) return refused(read.problems.map(forFaults));
  const { mapping } = read;
  const parsed = document.safeParse(mapping.value, { reportInput: true });
  const found = parsed.success
    ? parsed.data.faults.flatMap((one, i) => unknownIn(one, models, ['faults', i]))
    : schemaProblems(document, mapping.value, parsed.error.issues);
  const problems = [...mapping.problems, ...found.map((one) => placeProblem(one, mapping, file))];
  if (!parsed.success || problems.length > 0) {
    return refused(problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)));
  }
  return ok(parsed.data.faults.map((one) => twinFault(one, models)));
}

/** The faults that this model can have: of several plans one may run an instance that another does not. */
export function faultsFor(faults: readonly TwinFault[], model: TwinModel): TwinFault[] {
  return faults.flatMap((one): TwinFault[] => {
    if (one.kind === 'coldStart') {
      const count = instancesOf([model], one);
      const instances = one.instances.filter((i) => i < count);
      return instances.length > 0 ? [{ ...one, instances }] : [];
    }
    if (!('service' in one)) return [one];
    const least = 'instance' in one && one.instance !== undefined ? one.instance : -1;
    return hasPlace(model, one) && least < instancesOf([model], one) ? [one] : [];
  });
}

interface Where {
  service: string;
  region?: string | undefined;
}

function hasPlace(model: TwinModel, at: Where): boolean {
  return placeIn(model, at) !== undefined;
}

function placeIn(model: TwinModel, { service, region }: Where): { instances: readonly unknown[] } | undefined {
  const places = model.services.find(({ name }) => name === service)?.places ?? {};
  return places[region ?? model.regions[0]?.name ?? ''];
}

/** The most that any of the models runs. */
function instancesOf(models: readonly TwinModel[], at: Where): number {
  return Math.max(0, ...models.map((model) => placeIn(model, at)?.instances.length ?? 0));
}

function unknownIn(one: FaultEntry, models: readonly TwinModel[], path: PropertyKey[]): PathProblem[] {
  const problems: PathProblem[] = [];
  const regions = [...new Set(models.flatMap((model) => model.regions.map(({ name }) => name)))];
  const named = one.kind === 'network' ? one.between : one.region === undefined ? [] : [one.region];
  named.forEach((name, i) => {
    const at = one.kind === 'network' ? [...path, 'between', i] : [...path, 'region'];
    if (!regions.includes(name)) problems.push(unknown(at, 'region', name, regions));
  });
  if ('toSeconds' in one && one.toSeconds !== undefined && one.toSeconds <= one.fromSeconds) {
    const message = `is ${one.toSeconds}, and the fault begins at ${one.fromSeconds}`;
    problems.push({ code: 'fault-span', path: [...path, 'toSeconds'], message, expected: 'more than fromSeconds' });
  }
  if (one.kind === 'zoneLost') problems.push(...unknownZone(one.zone, models, path));
  if (!('service' in one) || problems.some(({ code }) => code === 'unknown-region')) return problems;
  const services = [...new Set(models.flatMap((model) => model.services.map(({ name }) => name)))];
  if (!services.includes(one.service)) {
    return [...problems, unknown([...path, 'service'], 'service', one.service, services)];
  }
  return [...problems, ...unknownInstances(one, instancesOf(models, one), path)];
}

function unknownInstances(
  one: Extract<FaultEntry, { service: string }>,
  count: number,
  path: PropertyKey[],
): PathProblem[] {
  if (count === 0) {
    const message = `has no instance of ${one.service} there`;
    return [{ code: 'no-instance', path: [...path, 'service'], message, expected: 'a service with instances' }];
  }
  const indices = one.kind === 'coldStart' ? (one.instances ?? []) : 'instance' in one ? [one.instance ?? 0] : [];
  return indices.flatMap((n, i): PathProblem[] => {
    if (n < count) return [];
    const at = one.kind === 'coldStart' ? [...path, 'instances', i] : [...path, 'instance'];
    return [
      {
        ...{ code: 'no-instance', path: at, message: `is ${n}: ${one.service} runs ${count}` },
        expected: count === 1 ? '0' : `0 to ${count - 1}`,
      },
    ];
  });
}

function unknownZone(zone: string, models: readonly TwinModel[], path: PropertyKey[]): PathProblem[] {
  const places = models.flatMap(({ services }) => services.flatMap((service) => Object.values(service.places)));
  const zones = [...new Set(places.flatMap(({ instances }) => instances.map((instance) => instance.zone)))];
  return zones.includes(zone) ? [] : [unknown([...path, 'zone'], 'zone', zone, zones)];
}

function unknown(path: PropertyKey[], what: string, name: string, known: readonly string[]): PathProblem {
  const meant = nearestName(name, known);
  return {
    ...{ code: `unknown-${what}`, path, message: `no ${what} ${JSON.stringify(name)} in the plans` },
    expected: known.join(', '),
    ...(meant === undefined ? {} : { fix: `did you mean "${meant}"?` }),
  };
}

function twinFault(entry: FaultEntry, models: readonly TwinModel[]): TwinFault {
  if (entry.kind === 'coldStart') {
    const { kind, service, region, fromSeconds } = entry;
    const instances = entry.instances ?? Array.from({ length: instancesOf(models, entry) }, (_, i) => i);
    return { kind, service, ...(region === undefined ? {} : { region }), instances, atMs: fromSeconds * 1000 };
  }
  const { fromSeconds, toSeconds, ...rest } = entry;
  const until = toSeconds === undefined ? {} : { untilMs: toSeconds * 1000 };
  // What zod leaves out is absent, never `undefined`: the shapes are the twin's own.
  return { ...rest, fromMs: fromSeconds * 1000, ...until } as TwinFault;
}

/** The reader of YAML speaks of region files. */
function forFaults(problem: Problem): Problem {
  const isWhole = problem.code === 'empty' || problem.code === 'not-a-mapping';
  return isWhole ? { ...problem, fix: `write ${EXAMPLE}` } : problem;
}
