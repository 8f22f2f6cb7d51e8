import type { PolicyInput, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, neighboursOf, timeoutMs } from './istioModel.js';
import { param } from '../policy.js';

/**
 * Istio's locality failover: outlier detection puts failing endpoints out, and neighbours stand by in priorities, the
 * nearest first. Envoy sends over what fewer than 1/1.4 of the endpoints cannot take.
 */
export const localityFailover: TwinPolicy = {
  name: 'locality-failover',
  source:
    'Istio: LocalityLoadBalancerSetting.failover with OutlierDetection (defaults, then the task "Locality failover")',
  grid: [
    { consecutive5xx: 5, intervalMs: 10_000, baseEjectionMs: 30_000, maxEjectionPercent: 10, timeoutOverDeadline: 0 },
    { consecutive5xx: 1, intervalMs: 1000, baseEjectionMs: 60_000, maxEjectionPercent: 100, timeoutOverDeadline: 0 },
    { consecutive5xx: 5, intervalMs: 10_000, baseEjectionMs: 30_000, maxEjectionPercent: 100, timeoutOverDeadline: 0 },
    { consecutive5xx: 5, intervalMs: 10_000, baseEjectionMs: 30_000, maxEjectionPercent: 100, timeoutOverDeadline: 1 },
    { consecutive5xx: 5, intervalMs: 1000, baseEjectionMs: 5000, maxEjectionPercent: 100, timeoutOverDeadline: 4 },
    { consecutive5xx: 5, intervalMs: 1000, baseEjectionMs: 5000, maxEjectionPercent: 50, timeoutOverDeadline: 1 },
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const settings = {
      'outlier.consecutive5xx': param(params, 'consecutive5xx'),
      'outlier.intervalMs': param(params, 'intervalMs'),
      'outlier.baseEjectionMs': param(params, 'baseEjectionMs'),
      'outlier.maxEjectionPercent': param(params, 'maxEjectionPercent'),
      'timeout.requestMs': timeoutMs(model, param(params, 'timeoutOverDeadline')),
    };
    return {
      model: istioModel(model, (service) => ({ settings, place: { failover: neighboursOf(model, service) } })),
    };
  },
};
