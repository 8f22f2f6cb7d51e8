import { ENTRY_NAMES, runFuzzCase } from './fuzzCases.js';
import { runCampaign } from './fuzzRun.js';

/** `node --import tsx bench/campaigns/fuzzForecast.ts`: malformed inputs to every way in of the forecast; fuzzRun.ts has the options. */
await runCampaign({
  marker: 'campaign:fuzz-forecast',
  script: import.meta.url,
  entries: ENTRY_NAMES,
  runCase: runFuzzCase,
  count: 10_000,
});
