import type { Override } from '../spec/live.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { LB_POLICIES, SETTING_FIELDS } from '../spec/settings.js';
import type { LbPolicy, SettingFieldInfo } from '../spec/settings.js';
import { parseAddress, weightRegions } from './address.js';
import type { SettingAddress } from './address.js';
import { isHashing } from './lb.js';

const WEIGHT: SettingFieldInfo = { unit: 'percent', min: 0, max: 100, integer: true };

/**
 * What is wrong with a person's value by itself: its address, its type, its range. Plan bounds do not hold for
 * people, and whether `until` has passed is for whoever has a clock. Weights that only together cannot be met are
 * `checkWeights`'.
 */
export function validateOverride(region: RegionSpec, override: Override): Problem[] {
  const parsed = parseAddress(region, override.address);
  if (!parsed.ok) {
    const fix = parsed.suggestion === undefined ? addressFix(region) : `did you mean ${parsed.suggestion}?`;
    return [{ code: 'override-address', field: 'address', message: `${override.address}: ${parsed.message}`, fix }];
  }
  const { address } = parsed;
  const info = address.kind === 'weight' ? WEIGHT : SETTING_FIELDS[address.field];
  const message = valueProblem(override.value, info);
  const refusal = (why: string, expectation: string): Problem[] => [
    { code: 'override-value', field: 'value', message: `${override.address}: ${why}`, expected: expectation },
  ];
  if (message !== null) return refusal(message, expected(info));
  if (!hashesNothing(region, address, override.value)) return [];
  const others = LB_POLICIES.filter((policy) => !isHashing(policy)).join(', ');
  return refusal(
    `${override.value} would have nothing to hash: ${address.service} states no affinity in the region file`,
    `one of ${others}, or "affinity" in the region file`,
  );
}

function hashesNothing(region: RegionSpec, address: SettingAddress, value: unknown): boolean {
  if (address.kind !== 'setting' || address.field !== 'lb.policy' || !isHashing(value as LbPolicy)) return false;
  return region.services.find((service) => service.name === address.service)?.affinity === undefined;
}

function valueProblem(value: unknown, info: SettingFieldInfo): string | null {
  if (info.oneOf !== undefined) {
    return typeof value === 'string' && info.oneOf.includes(value) ? null : `is ${JSON.stringify(value)}`;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return `is ${JSON.stringify(value)}, no number`;
  if (info.integer === true && !Number.isInteger(value)) return `is ${value}, not whole`;
  if (info.min !== undefined && value < info.min) return `is ${value}, below ${info.min}`;
  if (info.max !== undefined && value > info.max) return `is ${value}, above ${info.max}`;
  return null;
}

/** The range of a field in words, with its unit. */
export function expected(info: SettingFieldInfo): string {
  if (info.oneOf !== undefined) return `one of ${info.oneOf.join(', ')}`;
  const kind = info.integer === true ? 'a whole number' : 'a number';
  return `${kind} from ${info.min ?? '−∞'} to ${info.max ?? '∞'} (${info.unit})`;
}

function addressFix(region: RegionSpec): string {
  const [service] = region.services;
  return `write <service>.<setting> or <service>.weight.<region>, e.g. ${service?.name ?? 'checkout'}.rateLimit.rps`;
}

/**
 * What is wrong with overridden weights taken together, by service: more than 100 in sum, or every region fixed and
 * not 100 in sum. When fewer are fixed the rest is rescaled, so any sum up to 100 can be met.
 */
export function checkWeights(region: RegionSpec, overrides: readonly Override[]): Problem[] {
  const fixed = new Map<string, Map<string, number>>();
  for (const { address: text, value } of overrides) {
    const parsed = parseAddress(region, text);
    if (!parsed.ok || parsed.address.kind !== 'weight' || typeof value !== 'number') continue;
    const { service, region: target } = parsed.address;
    fixed.set(service, (fixed.get(service) ?? new Map<string, number>()).set(target, value));
  }
  return [...fixed].flatMap(([service, weights]): Problem[] => {
    const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
    const all = weights.size === weightRegions(region).length;
    if (sum <= 100 && (!all || sum === 100)) return [];
    const said = [...weights].map(([name, weight]) => `${name} ${weight}`).join(', ');
    return [
      {
        code: 'override-weights',
        field: `${service}.weight`,
        message: `overridden weights sum to ${sum} (${said})`,
        expected: all ? '100' : 'at most 100, the rest is shared by the other regions',
      },
    ];
  });
}
