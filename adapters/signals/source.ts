import type { SignalSource } from './port.js';
import { readPrometheusSignals } from './prometheus.js';
import type { PrometheusSurroundings } from '../prometheus/access.js';

/** The source of signals that each region names. Relative token files are looked up from `directory`. */
export function createSignalSource(directory: string, env: Omit<PrometheusSurroundings, 'directory'>): SignalSource {
  return {
    read: async (spec, fromMs, toMs, signal) => {
      const prometheus = spec.signals?.prometheus;
      if (prometheus === undefined) return { source: 'none', fromMs, toMs, services: [], problems: [] };
      const services = spec.services.map((service) => service.name);
      return readPrometheusSignals(prometheus, services, { fromMs, toMs }, { ...env, directory }, signal);
    },
  };
}
