import type { DemandSample } from '../../core/spec/csvDemand.js';
import type { Problem } from '../../core/spec/problem.js';
import type { HistorySpec } from '../../core/spec/region.js';

/** Demand as it was: rows as read, unsorted and unrepaired; core/forecast repairs or refuses. */
export interface DemandHistory {
  read(spec: HistorySpec, signal?: AbortSignal): Promise<{ rows: readonly DemandRow[]; problems: readonly Problem[] }>;
}

export type DemandRow = DemandSample;
