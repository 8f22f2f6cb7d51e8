import type { PolicyInput, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, timeoutMs } from './istioModel.js';
import { param } from '../policy.js';

/**
 * Istio as it is installed: no breakers, no rate limits, no limits in front of instances, no outlier detection and so
 * no failover, two retries, no timeout. The instances of the plan, and nothing that acts.
 */
export const istioDefaults: TwinPolicy = {
  name: 'istio-defaults',
  source: 'Istio 1.24+: networking/v1 DestinationRule and VirtualService, defaults; HTTP retries: 2 attempts',
  grid: [
    { maxRetries: 2, timeoutOverDeadline: 0 },
    { maxRetries: 0, timeoutOverDeadline: 0 },
    { maxRetries: 2, timeoutOverDeadline: 4 },
    { maxRetries: 2, timeoutOverDeadline: 1 },
    { maxRetries: 0, timeoutOverDeadline: 4 },
    { maxRetries: 0, timeoutOverDeadline: 1 },
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const settings = {
      'retry.maxPerRequest': param(params, 'maxRetries'),
      'timeout.requestMs': timeoutMs(model, param(params, 'timeoutOverDeadline')),
    };
    return { model: istioModel(model, () => ({ settings })) };
  },
};
