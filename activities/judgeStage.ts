import type { JudgeInput, JudgeOutcome } from './contract.js';
import { metricRows, observeFor } from './observeRegion.js';
import type { Activity } from './ports.js';
import type { RegionSpec } from '../core/spec/region.js';
import { judgeStep } from '../core/tuning/judge.js';

/** Watches the region for one judging window and says whether the stage may stand. */
export const judgeStage: Activity<JudgeInput, JudgeOutcome> = (ports) => async (input, run) => {
  const spec = await ports.artifacts.getJson<RegionSpec>(input.specRef);
  const { judgeSeconds, minRequests, maxErrorRate } = spec.activation;
  const { observation, last } = await observeFor(ports, spec, judgeSeconds * 1000, run);
  // The first tick after the last stage counts from here.
  await ports.metrics.putSnapshots(spec.name, last);
  await ports.metrics.write(metricRows(spec, observation, {}));
  const p99Ms = Object.fromEntries(spec.services.map((service) => [service.name, service.slo.p99Ms]));
  const judgement = judgeStep({
    observation,
    criteria: { minRequests, maxErrorRate, p99Ms },
    services: spec.services.map((service) => service.name),
  });
  return { ...judgement, services: observation.services };
};
