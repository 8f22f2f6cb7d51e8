import { z } from 'zod';

import type { HistorySpec } from './history.js';
import { labels, names, prometheusAccess, prometheusPreset, promql, serviceLabel } from './prometheusSchema.js';
import { nonEmpty } from './schemaParts.js';

const prometheus = z.strictObject({
  ...prometheusAccess,
  preset: prometheusPreset.optional(),
  query: promql.optional(),
  serviceLabel: serviceLabel.optional(),
  names: names.optional(),
  labels: labels.optional(),
  days: z.number().positive().max(1100).default(28),
  delaySeconds: z.number().min(0).max(86_400).default(60),
});

/**
 * `history` of a region file: a file, or `prometheus`. Which of the two is told by the key that is there, so that each
 * problem keeps its place; historyChecks.ts tells when there are both or none.
 */
export const historySchema = z
  .strictObject({
    kind: z.enum(['csv', 'prometheus']).optional(),
    file: nonEmpty.optional(),
    prometheus: prometheus.optional(),
    stepSeconds: z.int().min(1).max(604_800),
    regressors: z.strictObject({ file: nonEmpty }).optional(),
    borrow: z.strictObject({ file: nonEmpty, scale: z.number().positive().max(1e6).optional() }).optional(),
  })
  .transform((history, context): HistorySpec => {
    const { kind, file, prometheus: server, ...common } = history;
    if (server !== undefined) return { kind: 'prometheus', prometheus: server, ...common };
    if (file !== undefined) return { kind: 'csv', file, ...common };
    const path = kind === undefined ? [] : [kind === 'csv' ? 'file' : 'prometheus'];
    context.issues.push({ code: 'custom', message: NO_SOURCE, params: SOURCE_HELP, path, input: history });
    return z.NEVER;
  }) satisfies z.ZodType<HistorySpec>;

export const SOURCE_HELP = { code: 'missing', expected: 'file or prometheus', fix: 'add "file" or "prometheus"' };
export const NO_SOURCE = 'has neither a file nor a server to read from';
