import { createCsvHistory } from './csv.js';
import type { DemandHistory } from './port.js';
import { readPrometheusHistory } from './prometheus.js';
import type { PrometheusSurroundings } from '../prometheus/access.js';

/** Demand by whichever form a region file gives its history. Relative files are looked up from `directory`. */
export function createHistory(directory: string, env: Omit<PrometheusSurroundings, 'directory'>): DemandHistory {
  const csv = createCsvHistory(directory);
  return {
    read: (spec, signal, untilMs = Infinity) =>
      spec.kind === 'csv'
        ? csv.read(spec, signal)
        : readPrometheusHistory(spec, { ...env, directory }, untilMs, signal),
  };
}
