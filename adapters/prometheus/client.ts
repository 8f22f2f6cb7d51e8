import { PrometheusError, shownQuery } from './errors.js';
import type {
  InstantQuery,
  PrometheusAnswer,
  PrometheusClient,
  PrometheusClientOptions,
  PrometheusLimits,
  PrometheusNotice,
  PrometheusSeries,
  RangeQuery,
} from './port.js';
import { PROMETHEUS_LIMITS } from './port.js';
import { floorTo } from './promql.js';
import { ask } from './request.js';

/**
 * A client of Prometheus' HTTP API, and of what answers in the same shape: Thanos, Mimir, VictoriaMetrics. Throws a
 * TypeError for an address that holds a user or password: secrets come by `headers`.
 */
export function createPrometheusClient(options: PrometheusClientOptions): PrometheusClient {
  const base = new URL(options.url);
  if (base.username !== '' || base.password !== '') {
    throw new TypeError('the address of a Prometheus server must not hold a user or password');
  }
  const root = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  const name = `prometheus ${root}`;
  const limits: PrometheusLimits = { ...PROMETHEUS_LIMITS, ...options.limits };
  const call: Call = async (path, form, signal) => {
    const headers = (await options.headers?.()) ?? {};
    const url = `${root}/api/v1/${path}`;
    const answer = await ask({ url, name, form, headers, timeoutMs: options.timeoutMs, limits }, signal);
    return checkedSize(answer, name, form.query, limits);
  };
  return {
    name,
    range: (query, signal) => rangeByPages(call, query, { name, limits }, signal ?? new AbortController().signal),
    instant: ({ query, atMs }: InstantQuery, signal) =>
      call('query', { query, time: seconds(atMs) }, signal ?? new AbortController().signal),
  };
}

type Call = (
  path: string,
  form: Record<string, string> & { query: string },
  signal: AbortSignal,
) => Promise<PrometheusAnswer>;

interface Page {
  fromMs: number;
  toMs: number;
}

/**
 * Pages join without gap or overlap, because every one begins and ends at a multiple of the step. A page that is too
 * much for the server is asked for in halves. One page after the other: a server that is busy is not asked twice.
 */
async function rangeByPages(
  call: Call,
  { query, fromMs, toMs, stepMs }: RangeQuery,
  { name, limits }: { name: string; limits: PrometheusLimits },
  signal: AbortSignal,
): Promise<PrometheusAnswer> {
  if (!Number.isInteger(stepMs) || stepMs < 1) throw new RangeError(`a step of ${stepMs} ms is no step`);
  const answers: PrometheusAnswer[] = [];
  const open = pagesOf({ fromMs: floorTo(fromMs, stepMs), toMs: floorTo(toMs, stepMs) }, stepMs, limits);
  for (let page = open.shift(); page !== undefined; page = open.shift()) {
    const form = { query, start: seconds(page.fromMs), end: seconds(page.toMs), step: seconds(stepMs) };
    try {
      answers.push(await call('query_range', form, signal));
    } catch (error) {
      const halves = halvesOf(page, stepMs);
      if (!(error instanceof PrometheusError) || error.failure !== 'too-much' || halves === null) throw error;
      open.unshift(...halves);
    }
  }
  return checkedSize(joined(answers), name, query, limits);
}

function pagesOf({ fromMs, toMs }: Page, stepMs: number, limits: PrometheusLimits): Page[] {
  const pages: Page[] = [];
  const pageMs = limits.maxPointsPerQuery * stepMs;
  for (let from = fromMs; from <= toMs; from += pageMs) {
    pages.push({ fromMs: from, toMs: Math.min(toMs, from + pageMs - stepMs) });
  }
  return pages;
}

function halvesOf({ fromMs, toMs }: Page, stepMs: number): [Page, Page] | null {
  if (toMs <= fromMs) return null;
  const middle = floorTo((fromMs + toMs) / 2 - fromMs, stepMs) + fromMs;
  return [
    { fromMs, toMs: middle },
    { fromMs: middle + stepMs, toMs },
  ];
}

/** Series of several pages put together by their labels. */
function joined(answers: readonly PrometheusAnswer[]): PrometheusAnswer {
  const series = new Map<
    string,
    { labels: PrometheusSeries['labels']; samples: PrometheusSeries['samples'][number][] }
  >();
  const notices = new Map<string, PrometheusNotice>();
  for (const answer of answers) {
    for (const { labels, samples } of answer.series) {
      const key = labelKey(labels);
      const known = series.get(key);
      if (known === undefined) series.set(key, { labels, samples: [...samples] });
      else for (const sample of samples) known.samples.push(sample);
    }
    for (const notice of answer.notices) notices.set(`${notice.kind} ${notice.text}`, notice);
  }
  const isPartial = answers.some((answer) => answer.isPartial);
  return { series: [...series.values()], notices: [...notices.values()], isPartial };
}

function checkedSize(
  answer: PrometheusAnswer,
  name: string,
  query: string,
  { maxSeries }: PrometheusLimits,
): PrometheusAnswer {
  if (answer.series.length <= maxSeries) return answer;
  const message = `${name} gave ${answer.series.length} series, more than ${maxSeries}, to ${shownQuery(query)}`;
  throw new PrometheusError('too-many-series', message, 'aggregate in the query, by service alone');
}

function labelKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Prometheus takes seconds with up to three decimals. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
