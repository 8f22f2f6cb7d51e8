import { canonicalJson } from '../../spec/hash.js';
import type { Reasoned, ServicePlan } from '../../spec/plan.js';
import type { SettingField } from '../../spec/settings.js';
import { SETTING_FIELDS } from '../../spec/settings.js';

/** A number, a name, or shares by region. */
export type PlanValue = number | string | Readonly<Record<string, number>>;

/** What a value is about, the most urgent first: the order in which differences are told. */
export const FACT_KINDS = [
  'admission',
  'weights',
  'failover',
  'instances',
  'limit',
  'setting',
  'demand',
  'other',
] as const;
export type FactKind = (typeof FACT_KINDS)[number];

/** One value of a service's plan. */
export interface Fact {
  kind: FactKind;
  /** `checkout.rateLimit.rps`; of what is no setting, the service and the plan's own word: `checkout.instances`. */
  address: string;
  unit: string;
  value: PlanValue;
  reason: string;
  inputs?: Readonly<Record<string, number | string>>;
}

/** What the plan says of a service, told by a reader of its own below; everything else is read by its shape. */
const READ_APART = [
  'service',
  'endpoints',
  'weights',
  'settings',
  'bounds',
  'demand',
  'calls',
  'failover',
  'perInstanceRps',
];

const KINDS: Readonly<Record<string, FactKind>> = { admission: 'admission', instances: 'instances' };
const UNITS: Readonly<Record<string, string>> = { admission: 'share', instances: 'count', requestP99Ms: 'ms' };

/**
 * Every value of a service's plan. What a later version of the plan adds is told too: a value with its reason as such,
 * anything else as text.
 */
export function factsOf(plan: ServicePlan): Fact[] {
  return [...reasonedFacts(plan), weightsFact(plan), ...settingFacts(plan), ...plainFacts(plan), ...unknownFacts(plan)];
}

function reasonedFacts(plan: ServicePlan): Fact[] {
  return otherMembers(plan).flatMap(([key, value]) =>
    isReasoned(value)
      ? [
          reasonedFact(value, {
            kind: KINDS[key] ?? 'other',
            address: `${plan.service}.${key}`,
            unit: UNITS[key] ?? '',
          }),
        ]
      : [],
  );
}

export function reasonedFact(value: Reasoned<number | string>, about: Pick<Fact, 'kind' | 'address' | 'unit'>): Fact {
  const inputs = value.inputs === undefined ? {} : { inputs: value.inputs };
  return { ...about, value: value.value, reason: value.reason, ...inputs };
}

function weightsFact(plan: ServicePlan): Fact {
  const weights = Object.entries(plan.weights ?? {});
  return {
    kind: 'weights',
    address: `${plan.service}.weight`,
    unit: 'percent',
    value: Object.fromEntries(weights.map(([region, weight]) => [region, weight.value])),
    reason: [...new Set(weights.map(([, weight]) => weight.reason))].join('; '),
  };
}

export function settingFacts(plan: ServicePlan): Fact[] {
  return Object.entries(plan.settings ?? {}).map(([field, setting]) =>
    reasonedFact(setting, {
      kind: /^(rateLimit|breaker|inbound|retry)\./.test(field) ? 'limit' : 'setting',
      address: `${plan.service}.${field}`,
      unit: (SETTING_FIELDS[field as SettingField] as { unit: string } | undefined)?.unit ?? '',
    }),
  );
}

function plainFacts({
  service,
  demand,
  endpoints,
  failover,
  calls,
  perInstanceRps,
  bounds,
  settings,
}: ServicePlan): Fact[] {
  const fact = (kind: FactKind, name: string, unit: string, value: PlanValue): Fact => {
    return { kind, address: `${service}.${name}`, unit, value, reason: '' };
  };
  const ranges = Object.entries(bounds ?? {}).filter(([field]) => settings?.[field as SettingField] !== undefined);
  return [
    fact('failover', 'failover', 'name', failover === undefined ? 'every neighbour' : regionsOf(failover)),
    fact('other', 'endpoints', 'name', (endpoints ?? []).map((one) => `${one.address}:${one.port}`).join(', ')),
    fact('demand', 'demand', 'rps', demand.rps),
    fact('demand', 'demand.quantile', 'name', demand.quantile),
    fact('demand', 'demand.trust', 'name', demand.trust),
    fact('other', 'perInstanceRps', 'rps', perInstanceRps),
    ...Object.entries(calls ?? {}).map(([callee, count]) => fact('other', `calls.${callee}`, 'count', count)),
    ...ranges.map(([field, { min, max }]) =>
      fact('other', `bounds.${field}`, 'name', `${shownNumber(min)} to ${shownNumber(max)}`),
    ),
  ];
}

function regionsOf(failover: readonly { region: string }[]): string {
  return failover.map((one) => one.region).join(', ') || 'nobody';
}

function unknownFacts(plan: ServicePlan): Fact[] {
  return otherMembers(plan).flatMap(([key, value]): Fact[] => {
    if (value === undefined || isReasoned(value)) return [];
    const shown = typeof value === 'number' || typeof value === 'string' ? value : canonicalJson(value);
    return [{ kind: 'other', address: `${plan.service}.${key}`, unit: '', value: shown, reason: '' }];
  });
}

function otherMembers(plan: ServicePlan): [string, unknown][] {
  return Object.entries(plan).filter(([key]) => !READ_APART.includes(key));
}

function isReasoned(value: unknown): value is Reasoned<number | string> {
  if (typeof value !== 'object' || value === null) return false;
  const { value: inner, reason } = value as Partial<Reasoned<unknown>>;
  return (typeof inner === 'number' || typeof inner === 'string') && typeof reason === 'string';
}

/** Four digits, which is what a person compares. */
export function shownNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 4)));
}
