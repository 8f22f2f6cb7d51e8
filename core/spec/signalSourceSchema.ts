import { z } from 'zod';

import { labels, names, prometheusAccess, prometheusPreset, promql, serviceLabel } from './prometheusSchema.js';
import { nonEmpty } from './schemaParts.js';
import type { SignalsSpec } from './signalSource.js';

const query = promql.optional();

/** `signals` of a region file. */
export const signalsSchema = z.strictObject({
  prometheus: z.strictObject({
    ...prometheusAccess,
    // A tick waits for it.
    timeoutSeconds: z.number().positive().max(60).default(5),
    preset: prometheusPreset.optional(),
    queries: z
      .strictObject({
        rps: query,
        errorRate: query,
        p50Ms: query,
        p99Ms: query,
        readyInstances: query,
        cpuCores: query,
        memoryMiB: query,
        newest: query,
      })
      .optional(),
    serviceLabel: serviceLabel.optional(),
    names: names.optional(),
    labels: labels.optional(),
    namespace: nonEmpty.optional(),
    minWindowSeconds: z.number().positive().max(3600).default(60),
    maxAgeSeconds: z.number().positive().max(3600).default(60),
  }),
}) satisfies z.ZodType<SignalsSpec>;
