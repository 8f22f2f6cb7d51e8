import { PLAN_ENTRY_NAMES, runPlanFuzzCase } from './fuzzPlanCases.js';
import { runCampaign } from './fuzzRun.js';

/** `node --import tsx bench/campaigns/fuzzPlan.ts`: malformed region files and demand, to a plan rendered and checked. */
await runCampaign({
  marker: 'campaign:fuzz-plan',
  script: import.meta.url,
  entries: PLAN_ENTRY_NAMES,
  runCase: runPlanFuzzCase,
  count: 5000,
});
