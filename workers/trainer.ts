import type { MemoryPorts } from '../activities/forecastMemory.js';
import { remember } from '../activities/forecastMemory.js';
import type { NetworkTrainer } from '../activities/ports.js';
import type { ForecastCompute } from '../adapters/compute/port.js';
import type { LstmTraining } from '../core/forecast/members/lstm/training.js';

interface TrainerPorts extends MemoryPorts {
  compute: ForecastCompute;
  log(line: string): void;
}

export interface StoppableTrainer extends NetworkTrainer {
  /** Nothing is trained any more once it resolves. What was under way is offered again by the next forecast. */
  stop(): Promise<void>;
}

/**
 * Trains one region's network after the other in a thread, and stores each as an artifact that the region's memory
 * names. A training that fails costs a line in the log: forecasts do without until the next offer.
 */
export function createTrainer(ports: TrainerPorts): StoppableTrainer {
  const { compute, log } = ports;
  const waiting = new Map<string, LstmTraining>();
  const stopping = new AbortController();
  let current: string | null = null;
  let running: Promise<void> = Promise.resolve();

  const trainOne = async (region: string, training: LstmTraining): Promise<void> => {
    try {
      const trained = await compute.train(training, { signal: stopping.signal });
      if (trained.ok) {
        await remember(ports, region, { lstm: trained.value });
        log(`trained the network of ${region} on ${training.series.length} services`);
      } else
        log(`the network of ${region} was not trained: ${trained.problems.map(({ message }) => message).join('; ')}`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      log(`the network of ${region} was not trained: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const work = async (): Promise<void> => {
    for (const [region, training] of waiting) {
      if (stopping.signal.aborted) return;
      waiting.delete(region);
      current = region;
      await trainOne(region, training);
      current = null;
    }
  };

  return {
    offer(region, training): void {
      if (stopping.signal.aborted || region === current) return;
      const isIdle = waiting.size === 0 && current === null;
      waiting.set(region, training);
      if (isIdle) running = work();
    },
    async stop(): Promise<void> {
      stopping.abort(new Error('the worker stops'));
      waiting.clear();
      await running;
    },
  };
}
