import type { TwinPolicy } from '../policy.js';
import { adaptiveConcurrency } from './adaptiveConcurrency.js';
import { autothrottle } from './autothrottle.js';
import { breakwater } from './breakwater.js';
import { gradient2 } from './gradient2.js';
import { hpa } from './hpa.js';
import { istioDefaults } from './istioDefaults.js';
import { localityFailover } from './localityFailover.js';
import { topfullMimd } from './topfullMimd.js';
import { waterfall } from './waterfall.js';

/** What the tuner is compared with (docs/peers.md), each with a grid of its own for tuning. */
export const PEERS: readonly TwinPolicy[] = [
  istioDefaults,
  localityFailover,
  waterfall,
  hpa,
  adaptiveConcurrency,
  gradient2,
  topfullMimd,
  breakwater,
  autothrottle,
];
