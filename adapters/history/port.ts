import type { DemandSample } from '../../core/spec/csvDemand.js';
import type { HistorySpec } from '../../core/spec/history.js';
import type { Problem } from '../../core/spec/problem.js';

/** Demand as it was: rows as read, unsorted and unrepaired; core/forecast repairs or refuses. */
export interface DemandHistory {
  /**
   * @param untilMs a server is asked for nothing later, milliseconds since the epoch; absent or infinite: for what is
   * there by now. A file is read whole.
   */
  read(
    spec: HistorySpec,
    signal?: AbortSignal,
    untilMs?: number,
  ): Promise<{ rows: readonly DemandRow[]; problems: readonly Problem[] }>;
}

export type DemandRow = DemandSample;
