import { PEERS } from './peers/all.js';
import type { TwinPolicy } from './policy.js';
import { planOnlyPolicy, tunerPolicy } from './tuner.js';

/** What can be compared: our plan as it stands, the same under the tuner, and the peers. */
export const POLICIES: readonly TwinPolicy[] = [planOnlyPolicy(), tunerPolicy(), ...PEERS];
