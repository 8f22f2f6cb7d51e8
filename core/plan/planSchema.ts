import { z } from 'zod';

import { QUANTILES } from '../spec/forecast.js';
import type { Problem } from '../spec/problem.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import type { SettingField, SettingFieldInfo } from '../spec/settings.js';
import { expected } from './override.js';

function reasoned<T extends z.ZodType>(value: T): z.ZodType<{ value: z.output<T>; reason: string }> {
  const inputs = z.record(z.string(), z.union([z.number(), z.string()])).optional();
  return z.strictObject({ value, reason: z.string().min(1), inputs }) as unknown as z.ZodType<{
    value: z.output<T>;
    reason: string;
  }>;
}

function settingValue(info: SettingFieldInfo): z.ZodType {
  if (info.oneOf !== undefined) return z.enum(info.oneOf as [string, ...string[]], { error: expected(info) });
  const number = info.integer === true ? z.int() : z.number();
  return number
    .min(info.min ?? -Infinity, { error: expected(info) })
    .max(info.max ?? Infinity, { error: expected(info) });
}

const settings = z.strictObject(
  Object.fromEntries(
    (Object.entries(SETTING_FIELDS) as [SettingField, SettingFieldInfo][]).map(([field, info]) => [
      field,
      reasoned(settingValue(info)),
    ]),
  ),
);

const percent = reasoned(z.int().min(0).max(100));
const endpoint = z.strictObject({
  address: z.string().min(1),
  port: z.int().min(1).max(65_535),
  zone: z.string().min(1).optional(),
});

const service = z.strictObject({
  service: z.string().min(1),
  demand: z.strictObject({
    quantile: z.enum(QUANTILES),
    rps: z.number().min(0),
    trust: z.enum(['high', 'fair', 'low', 'none']),
    level: z.number().min(0).max(1).optional(),
  }),
  arrivingRps: z.number().min(0).optional(),
  instances: reasoned(z.int().min(0)),
  endpoints: z.array(endpoint),
  perInstanceRps: z.number().positive(),
  calls: z.record(z.string(), z.number().min(0)).optional(),
  weights: z.record(z.string(), percent).refine(sumsTo100, { error: 'weights do not sum to 100' }),
  failover: z.array(z.strictObject({ region: z.string().min(1), spareRps: z.number().min(0) })).optional(),
  price: reasoned(z.number()).optional(),
  admission: reasoned(z.number().min(0).max(1)).optional(),
  requestP99Ms: reasoned(z.number().min(0)).optional(),
  settings,
  bounds: z.partialRecord(
    z.enum(Object.keys(SETTING_FIELDS) as [SettingField, ...SettingField[]]),
    z.strictObject({ min: z.number(), max: z.number() }),
  ),
});

const plan = z.strictObject({
  version: z.literal(1),
  region: z.string().min(1),
  // Whether later windows, which hold changes only, go with the first is the lint's to say (MESH023).
  windows: z
    .array(z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime(), services: z.array(service).min(1) }))
    .min(1),
  warnings: z.array(z.string()),
});

function sumsTo100(weights: Readonly<Record<string, { value: number }>>): boolean {
  return Object.values(weights).reduce((sum, weight) => sum + weight.value, 0) === 100;
}

/** Where a value is no plan (`MeshPlan`); empty when it is one. */
export function planProblems(value: unknown): Problem[] {
  const parsed = plan.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    code: 'plan-shape',
    field:
      issue.path
        .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
        .join('')
        .replace(/^\./, '') || '(document)',
    message: issue.message,
  }));
}
