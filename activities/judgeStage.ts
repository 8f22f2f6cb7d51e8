import type { JudgeInput, JudgeOutcome } from './contract.js';
import { attempt } from './limited.js';
import { metricRows } from './metricRows.js';
import { observeFor } from './observeRegion.js';
import type { Activity } from './ports.js';
import type { RegionSpec } from '../core/spec/region.js';
import { judgeStep } from '../core/tuning/judge.js';

/** Watches the region for one judging window and says whether the stage may stand. */
export const judgeStage: Activity<JudgeInput, JudgeOutcome> = (ports) => async (input, run) => {
  const spec = await ports.artifacts.getJson<RegionSpec>(input.specRef);
  const { judgeSeconds, minRequests, maxErrorRate } = spec.activation;
  const { observation, last } = await observeFor(ports, spec, judgeSeconds * 1000, input.plan.hash, run);
  // The first tick after the last stage counts from here.
  const kept = await attempt('this reading is not kept', () => ports.metrics.putSnapshots(spec.name, last));
  const recorded = await attempt('this window is not recorded', () => ports.metrics.write(metricRows(observation)));
  const p99Ms = Object.fromEntries(spec.services.map((service) => [service.name, service.slo.p99Ms]));
  const judgement = judgeStep({
    observation,
    criteria: { minRequests, maxErrorRate, p99Ms },
    services: spec.services.map((service) => service.name),
  });
  const reason = [judgement.reason, ...kept, ...recorded].join('; ');
  return { ...judgement, reason, services: observation.services };
};
