/** The process of the sample services; `startApps` talks to it. */
import { startInstance } from '../../testbed/app/instance.js';
import type { Instance } from '../../testbed/app/instance.js';
import type { AppsAnswer, AppsConfig, AppsOrder } from './apps.js';

const SAMPLE_MS = 5;

interface Running {
  service: string;
  workers: number;
  instance: Instance;
}

let running: readonly Running[] = [];
let samples = 0;
const busy = new Map<string, number>();
const workersOf = new Map<string, number>();

async function start({ instances }: AppsConfig): Promise<void> {
  running = await Promise.all(
    instances.map(async ({ options, failRate }) => {
      const { service, concurrency } = options;
      workersOf.set(service, (workersOf.get(service) ?? 0) + concurrency);
      const instance = await new Promise<Instance>((resolve) => {
        const one = startInstance(options, () => resolve(one));
      });
      instance.setFault({ failRate });
      return { service, workers: concurrency, instance };
    }),
  );
  setInterval(() => {
    samples += 1;
    for (const { service, instance } of running) {
      busy.set(service, (busy.get(service) ?? 0) + instance.counters.working);
    }
  }, SAMPLE_MS);
}

function utilisation(): Readonly<Record<string, number>> {
  const found = [...workersOf].map(([service, workers]) => {
    return [service, (busy.get(service) ?? 0) / Math.max(1, samples) / workers] as const;
  });
  samples = 0;
  busy.clear();
  return Object.fromEntries(found);
}

process.on('message', (order: AppsOrder) => {
  const answer = (more: Partial<AppsAnswer> = {}): void => {
    process.send?.({ idle: false, utilisation: {}, ...more } satisfies AppsAnswer);
  };
  if (order.kind === 'start') void start(order.config).then(() => answer());
  else if (order.kind === 'utilisation') answer({ utilisation: utilisation() });
  else answer({ idle: running.every(({ instance: { counters } }) => counters.working + counters.waiting === 0) });
});
process.on('disconnect', () => process.exit(0));
