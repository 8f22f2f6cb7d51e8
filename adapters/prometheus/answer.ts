import { z } from 'zod';

import type { PrometheusAnswer, PrometheusNotice, PrometheusSample, PrometheusSeries } from './port.js';

const sample = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const texts = z.array(z.string()).nullish();

const data = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(sample).default([]) })),
  }),
  z.object({
    resultType: z.literal('vector'),
    // A series of native histograms has `histogram` in place of `value`.
    result: z.array(z.object({ metric: labels, value: sample.optional() })),
  }),
  z.object({ resultType: z.literal('scalar'), result: sample }),
]);

const success = z.object({
  status: z.literal('success'),
  data,
  warnings: texts,
  infos: texts,
  // VictoriaMetrics' word.
  isPartial: z.boolean().nullish(),
});

const failure = z.object({
  status: z.literal('error'),
  errorType: z.string().default(''),
  error: z.string().default(''),
});

export type ReadAnswer =
  | { kind: 'answer'; answer: PrometheusAnswer }
  | { kind: 'error'; errorType: string; error: string }
  | { kind: 'foreign'; reason: string };

/** What a response body says. Never throws; `foreign` is anything that Prometheus' API does not send. */
export function readAnswer(body: string): ReadAnswer {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return { kind: 'foreign', reason: body.trim() === '' ? 'an empty body' : 'a body that is no JSON' };
  }
  const error = failure.safeParse(document);
  if (error.success) return { kind: 'error', errorType: error.data.errorType, error: error.data.error };
  const good = success.safeParse(document);
  if (!good.success) {
    const issue = good.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? 'its top' : issue.path.join('.');
    return { kind: 'foreign', reason: `JSON that is no answer to a query (at ${place})` };
  }
  const { warnings, infos, isPartial } = good.data;
  const notices: PrometheusNotice[] = [
    ...(warnings ?? []).map((text) => ({ kind: 'warning' as const, text })),
    ...(infos ?? []).map((text) => ({ kind: 'info' as const, text })),
  ];
  const partial = isPartial === true || notices.some((notice) => notice.kind === 'warning');
  return { kind: 'answer', answer: { series: seriesOf(good.data.data), notices, isPartial: partial } };
}

/** What a server says of an answer that is partial; empty where it says nothing more. */
export function warningsOf({ notices }: PrometheusAnswer): string {
  return notices.flatMap(({ kind, text }) => (kind === 'warning' ? [text] : [])).join('; ');
}

function seriesOf(read: z.infer<typeof data>): PrometheusSeries[] {
  switch (read.resultType) {
    case 'matrix':
      return read.result.map(({ metric, values }) => ({ labels: metric, samples: samplesOf(values) }));
    case 'vector':
      return read.result.map(({ metric, value }) => ({
        labels: metric,
        samples: samplesOf(value === undefined ? [] : [value]),
      }));
    case 'scalar':
      return [{ labels: {}, samples: samplesOf([read.result]) }];
  }
}

function samplesOf(values: readonly (readonly [number, string])[]): PrometheusSample[] {
  return values.flatMap(([seconds, text]) => {
    const value = Number(text);
    // Number('') is 0, and 'Inf' is no number to JavaScript.
    if (text.trim() === '' || !Number.isFinite(value)) return [];
    return [{ at: Math.round(seconds * 1000), value }];
  });
}
