import { z } from 'zod';

import { MAX_FLEET_REGIONS } from './fleet.js';
import type { FleetSpec, RolloutStage } from './fleet.js';
import { label, text } from './schemaParts.js';

const DAY_SECONDS = 86_400;

const PERCENT = /^(?:100|[1-9]?\d(?:\.\d+)?)%$/;

const stage = z.unknown().transform((value, context): RolloutStage => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  if (typeof value === 'string' && PERCENT.test(value) && Number.parseFloat(value) > 0) return value;
  const params = { expected: 'a number of regions, or a share of them', fix: 'write 1, or "25%"' };
  context.issues.push({ code: 'custom', message: 'is no stage of a rollout', params, input: value });
  return z.NEVER;
});

const group = text((v) => v.trim() !== '' && v.length <= 63, 'is no name', {
  expected: 'text of at most 63 characters',
});

export const fleetSchema: z.ZodType<FleetSpec> = z.strictObject({
  apiVersion: z.literal('psmg/v1'),
  name: label.default('fleet'),
  maxConcurrentChanges: z.int().min(1).max(MAX_FLEET_REGIONS),
  permitSeconds: z.number().positive().max(DAY_SECONDS).default(3600),
  regions: z
    .array(z.strictObject({ name: label, group: group.optional() }))
    .min(1)
    .max(MAX_FLEET_REGIONS)
    .optional(),
  failover: z
    .array(z.tuple([label, label]))
    .max(1000)
    .optional(),
  rollout: z
    .strictObject({
      stages: z.array(stage).min(1).max(20).default([1, '25%', '100%']),
      judgeSeconds: z.number().min(0).max(DAY_SECONDS).default(600),
      timeoutSeconds: z
        .number()
        .positive()
        .max(7 * DAY_SECONDS)
        .default(2 * 3600),
    })
    .prefault({}),
}) as z.ZodType<FleetSpec>;
