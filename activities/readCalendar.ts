import type { ArtifactRef } from '../core/spec/artifact.js';
import { freezeCalendar } from '../core/spec/freezes.js';
import type { RegionSpec } from '../core/spec/region.js';
import type { CalendarOutcome } from './contract.js';
import type { Activity } from './ports.js';

/** Times of the next weeks in which the region file wants nothing to change by itself, by the clocks on the wall. */
export const readCalendar: Activity<{ specRef: ArtifactRef; fromMs: number }, CalendarOutcome> =
  ({ artifacts }) =>
  async ({ specRef, fromMs }) => {
    const { freezes = [] } = await artifacts.getJson<RegionSpec>(specRef);
    return freezeCalendar(freezes, fromMs);
  };
