import { GRAPH_SOURCE_KINDS } from '../../core/spec/region.js';
import { runCampaign } from '../campaigns/fuzzRun.js';
import { runGraphFuzzCase } from './fuzzCases.js';

/** `node --import tsx bench/graph/fuzz.ts [--count 5000] [--seed 1]`: malformed sources of the service graph. */
await runCampaign({
  marker: 'campaign:fuzz-graph',
  script: import.meta.url,
  entries: GRAPH_SOURCE_KINDS,
  runCase: runGraphFuzzCase,
  count: 5000,
});
