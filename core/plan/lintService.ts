import type { LiveService } from '../spec/live.js';
import type { Problem } from '../spec/problem.js';
import type { SettingField } from '../spec/settings.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { weightRegions } from './address.js';
import { hasSlowStart, isHashing } from './lb.js';
import type { LintInput } from './lintProblem.js';
import { isAdjusted, isOverridden, problem, regionsBeside } from './lintProblem.js';
import { expected } from './override.js';

/** What Istio takes where nothing is stated, and what "no limit" is written as. */
const UNLIMITED = 2 ** 32 - 1;

/** MESH001, MESH002, MESH013 */
export function lintWeights({ live, region }: LintInput): Problem[] {
  const entries = Object.entries(live.weights);
  const problems: Problem[] = [];
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  if (sum !== 100 || entries.some(([, weight]) => !Number.isInteger(weight) || weight < 0)) {
    const said = entries.map(([name, weight]) => `${name} ${weight}`).join(', ');
    problems.push(
      problem('MESH001', live, 'weight', `weights are ${said}: they sum to ${sum}`, 'whole percents, 100 in sum'),
    );
  }
  const byHand = entries.some(([name]) => isOverridden(live, `weight.${name}`));
  const spare = new Map(region.neighbours.map((one) => [one.name, one.spareRps[live.service] ?? 0]));
  for (const [name, weight] of entries) {
    if (weight === 0) continue;
    const field = `weight.${name}`;
    const answers = name === region.name ? live.endpoints.length > 0 : weightRegions(region).includes(name);
    if (!answers) problems.push(problem('MESH002', live, field, `${weight} % go where no endpoint is`));
    else if (!byHand && spare.get(name) === 0) {
      problems.push(problem('MESH013', live, field, `${weight} % go where no capacity is to spare for it`));
    }
  }
  return problems;
}

/** MESH009, MESH010, MESH017 */
export function lintRanges({ live, planned }: LintInput): Problem[] {
  return (Object.keys(SETTING_FIELDS) as SettingField[]).flatMap((field): Problem[] => {
    const info = SETTING_FIELDS[field];
    const value = live.settings[field];
    if (field.startsWith('breaker.') && Number(value) >= UNLIMITED) {
      return [problem('MESH017', live, field, `is ${String(value)}, which is no limit`, expected(info))];
    }
    if (!inRange(value, info)) return [problem('MESH009', live, field, `is ${String(value)}`, expected(info))];
    const bounds = planned.bounds[field];
    if (!isAdjusted(live, field) || bounds === undefined || typeof value !== 'number') return [];
    if (value >= bounds.min && value <= bounds.max) return [];
    return [problem('MESH010', live, field, `is ${value}`, `from ${bounds.min} to ${bounds.max}, as planned`)];
  });
}

function inRange(value: unknown, info: (typeof SETTING_FIELDS)[SettingField]): boolean {
  if (info.oneOf !== undefined) return typeof value === 'string' && info.oneOf.includes(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (info.integer === true && !Number.isInteger(value)) return false;
  return value >= (info.min ?? -Infinity) && value <= (info.max ?? Infinity);
}

/** MESH005, MESH016 */
export function lintHealth(input: LintInput): Problem[] {
  const { live } = input;
  const { settings } = live;
  const problems: Problem[] = [];
  const none = (field: SettingField, value: number): void => {
    if (value > 0 || isOverridden(live, field)) return;
    problems.push(problem('MESH005', live, field, `is ${value}: a failing endpoint stays in rotation`, 'more than 0'));
  };
  const field = 'outlier.maxEjectionPercent';
  const percent = settings[field];
  const beside = regionsBeside(input).size;
  if (live.endpoints.length + beside > 1) none(field, percent);
  none('outlier.consecutive5xx', settings['outlier.consecutive5xx']);
  const hosts = live.endpoints.length + beside;
  // A proxy ejects nobody when one host is already more than the percent.
  const ejectsNobody = percent > 0 && (percent * hosts) / 100 < 1 - 1e-9;
  if (ejectsNobody && live.endpoints.length > 0 && beside > 0 && !isOverridden(live, field)) {
    const message = `${percent} % of ${hosts} hosts is less than one: nobody is ejected, and no region takes over`;
    problems.push(problem('MESH016', live, field, message, `${Math.ceil(100 / hosts)} or more`));
  }
  return problems;
}

/** MESH008 */
export function lintDurations(live: LiveService): Problem[] {
  const pairs: [SettingField, SettingField][] = [
    ['timeout.connectMs', 'timeout.requestMs'],
    ['health.timeoutMs', 'health.intervalMs'],
  ];
  return pairs.flatMap(([inner, outer]): Problem[] => {
    const [part, whole] = [Number(live.settings[inner]), Number(live.settings[outer])];
    if (part <= whole || isOverridden(live, inner) || isOverridden(live, outer)) return [];
    return [problem('MESH008', live, inner, `${part} ms are more than the ${whole} ms of ${outer}`)];
  });
}

/** MESH019, MESH020 */
export function lintBalancing(live: LiveService): Problem[] {
  const policy = live.settings['lb.policy'];
  const problems: Problem[] = [];
  if (isHashing(policy) && live.affinity === undefined) {
    const message = `${policy} has nothing to hash: the service states no affinity, and endpoints are drawn at random`;
    problems.push(problem('MESH019', live, 'lb.policy', message, 'LEAST_REQUEST or ROUND_ROBIN'));
  }
  if (!isHashing(policy) && live.affinity !== undefined && !isOverridden(live, 'lb.policy')) {
    const message = `${policy} does not bring the requests of one user to one instance, as the stated affinity asks`;
    problems.push(problem('MESH019', live, 'lb.policy', message, 'RING_HASH or MAGLEV'));
  }
  const slowStartMs = live.settings['lb.slowStartMs'];
  if (slowStartMs > 0 && !hasSlowStart(policy) && !isOverridden(live, 'lb.slowStartMs')) {
    const message = `is ${slowStartMs}, and ${policy} has no slow start`;
    problems.push(problem('MESH020', live, 'lb.slowStartMs', message, '0, or LEAST_REQUEST or ROUND_ROBIN'));
  }
  return problems;
}
