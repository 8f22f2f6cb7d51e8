import { openPrometheus } from '../prometheus/access.js';
import type { PrometheusSurroundings } from '../prometheus/access.js';
import { warningsOf } from '../prometheus/answer.js';
import { PrometheusError } from '../prometheus/errors.js';
import type { PrometheusAnswer, PrometheusClient } from '../prometheus/port.js';
import type { LabelledQuery } from '../prometheus/presets.js';
import { signalPreset } from '../prometheus/presets.js';
import { duration, filled, serviceOf } from '../prometheus/promql.js';
import type { PrometheusSignalsSpec, SignalField, SignalQuery } from '../../core/spec/signalSource.js';
import { SIGNAL_FIELDS, SIGNAL_QUERIES } from '../../core/spec/signalSource.js';
import type { ServiceSignals, SignalSet } from '../../core/spec/signals.js';

/** What several series of one service may be added up to; a rate of errors or a quantile may not. */
const ADDS_UP: Readonly<Record<SignalQuery, boolean>> = {
  rps: true,
  errorRate: false,
  p50Ms: false,
  p99Ms: false,
  readyInstances: true,
  cpuCores: true,
  memoryMiB: true,
  newest: true,
};

/** Values by service, and what is wrong with them. */
interface FieldReading {
  values: ReadonlyMap<string, number>;
  problems: readonly string[];
}

/**
 * Live signals from a Prometheus-compatible server, one instant query a field and candidate at `toMs`, all at once.
 * Rates and quantiles are over the window that is asked for, or the spec's least: the set says which. What rests on
 * samples that are too old is `null` with a problem.
 */
export async function readPrometheusSignals(
  spec: PrometheusSignalsSpec,
  services: readonly string[],
  window: { fromMs: number; toMs: number },
  around: PrometheusSurroundings,
  signal: AbortSignal,
): Promise<SignalSet> {
  const { toMs } = window;
  // The window that is measured is said, so that nobody compares it with a shorter one.
  const fromMs = Math.min(window.fromMs, toMs - spec.minWindowSeconds * 1000);
  const client = openPrometheus(spec, around);
  const values = {
    window: duration(toMs - fromMs),
    maxAge: String(spec.maxAgeSeconds),
  };
  const queries = queriesOf(spec);
  const read = await Promise.all(
    SIGNAL_QUERIES.map(async (field): Promise<[SignalQuery, FieldReading]> => {
      const candidates = queries[field].map((one) => ({ ...one, query: filled(one.query, values) }));
      return [field, await readField(client, field, candidates, { spec, toMs, signal })];
    }),
  );
  const byField = Object.fromEntries(read) as Record<SignalQuery, FieldReading>;
  const judged = services.map((service) => signalsOf(service, byField, spec, toMs));
  return {
    source: client.name,
    fromMs,
    toMs,
    services: judged.map((one) => one.signals),
    // A server that is down fails every query in the same words.
    problems: [...new Set([...read.flatMap(([, { problems }]) => problems), ...judged.flatMap((one) => one.problems)])],
  };
}

function queriesOf(spec: PrometheusSignalsSpec): Readonly<Record<SignalQuery, readonly LabelledQuery[]>> {
  const { preset, serviceLabel } = spec;
  const none = Object.fromEntries(SIGNAL_QUERIES.map((field) => [field, []])) as unknown as Record<SignalQuery, []>;
  const usual = preset === undefined ? none : signalPreset(preset, spec);
  const ownLabel = serviceLabel ?? usual.rps[0]?.label ?? 'service';
  const own = Object.entries(spec.queries ?? {}).flatMap(([field, query]) =>
    query === undefined ? [] : [[field, [{ query, label: ownLabel }]] as const],
  );
  return { ...usual, ...Object.fromEntries(own) };
}

async function readField(
  client: PrometheusClient,
  field: SignalQuery,
  candidates: readonly LabelledQuery[],
  { spec, toMs, signal }: { spec: PrometheusSignalsSpec; toMs: number; signal: AbortSignal },
): Promise<FieldReading> {
  const values = new Map<string, number>();
  const problems: string[] = [];
  const answers = await Promise.all(
    candidates.map(async ({ query, label }) => {
      try {
        return { label, answer: await client.instant({ query, atMs: toMs }, signal) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof PrometheusError)) throw error;
        // What stays the same for every query is told once: see above.
        problems.push(SAME_FOR_ALL.includes(error.failure) ? whole(client, error) : `${field}: ${error.message}`);
        return null;
      }
    }),
  );
  for (const found of answers) {
    if (found === null) continue;
    const { known, told } = valuesOf(found.answer, found.label, field, spec);
    problems.push(...told.map((text) => `${client.name}: ${text}`));
    for (const [service, value] of known) if (!values.has(service)) values.set(service, value);
  }
  return { values, problems };
}

const SAME_FOR_ALL: readonly PrometheusError['failure'][] = ['unreachable', 'timeout', 'unauthorized', 'no-token'];

function whole(client: PrometheusClient, error: PrometheusError): string {
  return error.failure === 'timeout' ? `${client.name} gave no answer in time` : error.message;
}

function valuesOf(
  answer: PrometheusAnswer,
  label: string,
  field: SignalQuery,
  { names }: PrometheusSignalsSpec,
): { known: ReadonlyMap<string, number>; told: readonly string[] } {
  const known = new Map<string, number>();
  const told: string[] = [];
  if (answer.isPartial) {
    const said = warningsOf(answer).slice(0, 300) || 'it says so';
    // A part of the sum would be taken for the whole.
    return { known, told: [`${field} rests on a part of the data only: ${said}`] };
  }
  const twice = new Set<string>();
  for (const { labels, samples } of answer.series) {
    const service = serviceOf(labels, label, names);
    const value = samples.at(-1)?.value;
    if (service === undefined || value === undefined) continue;
    if (value < 0 || (field === 'errorRate' && value > 1)) {
      told.push(`${field} of ${service} is ${value}, which it cannot be`);
      continue;
    }
    const before = known.get(service);
    if (before === undefined) known.set(service, value);
    else if (field === 'newest') known.set(service, Math.max(before, value));
    else if (ADDS_UP[field]) known.set(service, before + value);
    else twice.add(service);
  }
  for (const service of twice) {
    known.delete(service);
    told.push(`${field} of ${service} came several times, which cannot be put together`);
  }
  return { known, told };
}

function signalsOf(
  service: string,
  byField: Readonly<Record<SignalQuery, FieldReading>>,
  spec: PrometheusSignalsSpec,
  toMs: number,
): { signals: ServiceSignals; problems: readonly string[] } {
  const newest = byField.newest.values.get(service);
  // Nothing at all is as old as time itself: finite, so that it can be written down.
  const ageSeconds = Math.max(0, toMs / 1000 - (newest ?? 0));
  const isStale = ageSeconds > spec.maxAgeSeconds;
  const problems: string[] = [];
  if (isStale && byField.newest.problems.length === 0) {
    problems.push(
      newest === undefined
        ? `${service}: nothing was measured in the last minutes`
        : `${service}: the newest sample is ${Math.round(ageSeconds)} s old, more than ${spec.maxAgeSeconds} s`,
    );
  }
  const value = (field: SignalField): number | null => {
    // Instances, CPU and memory carry an age of their own within their queries.
    if (isStale && REQUEST_FIELDS.includes(field)) return null;
    return byField[field].values.get(service) ?? null;
  };
  const fields = Object.fromEntries(SIGNAL_FIELDS.map((field) => [field, value(field)])) as Record<
    SignalField,
    number | null
  >;
  return { signals: { service, ...fields, ageSeconds }, problems };
}

const REQUEST_FIELDS: readonly SignalField[] = ['rps', 'errorRate', 'p50Ms', 'p99Ms'];
