import { z } from 'zod';

import { PROMETHEUS_PRESETS } from './prometheus.js';
import { environmentVariable, httpUrl, nonEmpty, text } from './schemaParts.js';

/** `__name__` and its like are Prometheus' own. */
export const LABEL_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

const variable = environmentVariable('PROMETHEUS_TOKEN');

const labelName = text((v) => LABEL_NAME.test(v), 'is not the name of a label', {
  expected: 'letters, digits and "_", e.g. destination_service_name',
});

const headerValue = text((v) => /^[\x20-\x7e]+$/.test(v), 'is not the value of a header', {
  expected: 'printable ASCII',
});
/** What every question to a Prometheus-compatible server has in common. */
export const prometheusAccess = {
  url: httpUrl,
  /** One of env and file: prometheusChecks.ts tells it. */
  token: z
    .strictObject({
      env: variable.optional(),
      file: nonEmpty.optional(),
      scheme: z.enum(['bearer', 'basic']).optional(),
    })
    .optional(),
  headers: z.record(z.string(), headerValue).optional(),
  timeoutSeconds: z.number().positive().max(300).default(30),
};

export const prometheusPreset = z.enum(PROMETHEUS_PRESETS);
export const serviceLabel = labelName;
/** Long enough for any PromQL that a person still reads. */
export const promql = text((v) => v.trim().length > 0 && v.length <= 10_000, 'is not a query', {
  expected: 'PromQL of at most 10,000 characters',
});
export const names = z.record(z.string().min(1), nonEmpty);
/** Names of labels and headers are checked in prometheusChecks.ts. */
export const labels = z.record(z.string(), z.string());
