import type { NetworkProber, Ports } from '../activities/ports.js';
import { withTargets } from '../activities/targets.js';
import { networkRows, probeNetwork } from '../adapters/probes/networkProbe.js';
import type { RegionSpec } from '../core/spec/region.js';

interface ProberPorts extends Pick<Ports, 'openTarget' | 'metrics' | 'now'> {
  log(line: string): void;
}

export interface StoppableProber extends NetworkProber {
  /** Nothing is measured any more once it resolves. */
  stop(): Promise<void>;
}

/** The way to a neighbour changes slowly, and a round may take a minute where much is lost. */
const EVERY_MS = 60_000;

/**
 * Measures the ways to a region's neighbours beside everything else, at most once a minute and never twice at once. What
 * a round could not learn costs a line in the log, once as long as it stays the same.
 */
export function createProber(ports: ProberPorts): StoppableProber {
  const lastMs = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  const said = new Map<string, string>();
  const stopping = new AbortController();

  const tell = (region: string, problems: readonly string[]): void => {
    const words = problems.join('; ');
    if (words !== '' && words !== said.get(region)) ports.log(`ways from ${region}: ${words}`);
    said.set(region, words);
  };

  const round = async (spec: RegionSpec): Promise<void> => {
    try {
      const options = { now: () => ports.now(), signal: stopping.signal };
      const found = await withTargets(ports, spec, (targets) => probeNetwork(targets, spec, options));
      await ports.metrics.write(networkRows(spec.name, found.latencies));
      tell(spec.name, found.problems);
    } catch (error) {
      if (!stopping.signal.aborted) tell(spec.name, [error instanceof Error ? error.message : String(error)]);
    }
  };

  return {
    offer(spec): void {
      const { name, neighbours } = spec;
      // A clock that was set back is no reason to wait until it has caught up.
      const isDue = Math.abs(ports.now() - (lastMs.get(name) ?? -Infinity)) >= EVERY_MS;
      if (stopping.signal.aborted || neighbours.length === 0 || !isDue || running.has(name)) return;
      lastMs.set(name, ports.now());
      running.set(
        name,
        round(spec).finally(() => running.delete(name)),
      );
    },
    async stop(): Promise<void> {
      stopping.abort(new Error('the worker stops'));
      await Promise.all(running.values());
    },
  };
}
