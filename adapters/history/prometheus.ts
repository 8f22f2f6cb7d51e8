import type { DemandHistory, DemandRow } from './port.js';
import { openPrometheus } from '../prometheus/access.js';
import type { PrometheusSurroundings } from '../prometheus/access.js';
import { warningsOf } from '../prometheus/answer.js';
import { PrometheusError } from '../prometheus/errors.js';
import type { PrometheusAnswer } from '../prometheus/port.js';
import type { LabelledQuery } from '../prometheus/presets.js';
import { historyPreset } from '../prometheus/presets.js';
import { duration, filled, floorTo, serviceOf } from '../prometheus/promql.js';
import type { PrometheusHistoryQuery, PrometheusHistorySpec } from '../../core/spec/history.js';
import type { Problem } from '../../core/spec/problem.js';

type Reading = Awaited<ReturnType<DemandHistory['read']>>;

const DAY_MS = 86_400_000;

/**
 * Demand from a Prometheus-compatible server, up to `untilMs` or what is there by now. The value that Prometheus gives
 * for time t is the mean rate over the step that ends at t; a row's time is where its step begins, so it is t less a
 * step. What has no value has no row. A server that does not answer, refuses, or could read a part only is a problem;
 * only an aborted read throws.
 */
export async function readPrometheusHistory(
  spec: PrometheusHistorySpec,
  around: PrometheusSurroundings,
  untilMs: number,
  signal?: AbortSignal,
): Promise<Reading> {
  const { prometheus, stepSeconds } = spec;
  const stepMs = stepSeconds * 1000;
  const { query, label } = queryOf(prometheus);
  const toMs = floorTo(Math.min(untilMs, around.now() - prometheus.delaySeconds * 1000), stepMs);
  const fromMs = floorTo(toMs - prometheus.days * DAY_MS, stepMs) + stepMs;
  try {
    const client = openPrometheus(prometheus, around);
    const asked = filled(query, { step: duration(stepMs) });
    const answer = await client.range({ query: asked, fromMs, toMs, stepMs }, signal);
    return readingOf(answer, { prometheus, label, stepMs, name: client.name });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PrometheusError)) throw error;
    const { failure, message, fix } = error;
    return { rows: [], problems: [{ ...problem(failure, message), ...(fix === undefined ? {} : { fix }) }] };
  }
}

function queryOf(prometheus: PrometheusHistoryQuery): LabelledQuery {
  const { preset, query, serviceLabel } = prometheus;
  if (query !== undefined) return { query, label: serviceLabel ?? 'service' };
  return historyPreset(preset ?? 'istio', prometheus);
}

interface Question {
  prometheus: PrometheusHistoryQuery;
  label: string;
  stepMs: number;
  name: string;
}

function readingOf(answer: PrometheusAnswer, { prometheus, label, stepMs, name }: Question): Reading {
  if (answer.isPartial) {
    // Demand that lacks a part looks like low demand.
    const said = warningsOf(answer) || 'it says that the answer is partial';
    const told = problem('partial', `${name} could read a part only: ${said.slice(0, 500)}`);
    return { rows: [], problems: [{ ...told, fix: 'mend the server, or ask for fewer days' }] };
  }
  const sums = new Map<string, Map<number, number>>();
  const problems: Problem[] = [];
  for (const { labels, samples } of answer.series) {
    const service = serviceOf(labels, label, prometheus.names);
    if (service === undefined) {
      // Series that a preset finds beside those of services; an own query was written to have the label.
      if (prometheus.query !== undefined) problems.push(unlabelled(labels, label, name));
      continue;
    }
    const own = sums.get(service) ?? new Map<number, number>();
    sums.set(service, own);
    for (const { at, value } of samples) own.set(at - stepMs, (own.get(at - stepMs) ?? 0) + value);
  }
  const rows = [...sums].flatMap(([service, own]) =>
    [...own].map(([at, rps]): DemandRow => ({ at, service, rps })).sort((a, b) => a.at - b.at),
  );
  if (rows.length === 0 && problems.length === 0) {
    const told = problem('empty', `${name} has no demand of the last ${prometheus.days} days for this query`);
    const fix = 'ask it the query of docs/prometheus.md by hand: the metric, its labels or the step may differ';
    return { rows, problems: [{ ...told, fix }] };
  }
  return { rows: problems.length > 0 ? [] : rows, problems: problems.slice(0, 20) };
}

function unlabelled(labels: Readonly<Record<string, string>>, label: string, name: string): Problem {
  const shown = JSON.stringify(labels).slice(0, 200);
  const told = problem('no-service', `${name} gave a series without the label "${label}": ${shown}`);
  return { ...told, fix: `keep the label: sum by (${label}) (…)` };
}

function problem(code: string, message: string): Problem {
  return { code, field: 'history.prometheus', message };
}
