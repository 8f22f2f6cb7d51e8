import { BadRequestError, serveJson } from '../http.js';
import { deriveSeed } from '../random.js';
import type { ApplicationConfig, ApplicationService } from './config.js';
import { startInstance } from './instance.js';
import type { Fault, Instance } from './instance.js';

export interface TargetsRequest {
  region: string;
  planHash: string;
  targets: readonly { service: string; instances: number }[];
}

export interface FaultRequest extends Fault {
  service: string;
  /** Position in the service's endpoints, from 0; absent: every instance. */
  instance?: number;
  /** Ends the instance at once; the next targets start it again. */
  kill?: boolean;
}

export interface ServiceStatus {
  target: number;
  /** Instances that have been started, ready or not. */
  running: number;
  ready: number;
  served: number;
  failed: number;
  refused: number;
}

export interface ApplicationStatus {
  region: string;
  planHash: string | null;
  /** ISO 8601, UTC; when the first instance was started (its cold start began). */
  firstInstanceStartedAt: string | null;
  firstInstanceReadyAt: string | null;
  services: Readonly<Record<string, ServiceStatus>>;
}

export interface Orchestrator {
  /** Base of the control API: `POST /targets`, `GET /status`, `POST /fault`. */
  url: string;
  setTargets(request: TargetsRequest): { accepted: readonly { service: string; requested: number; target: number }[] };
  setFault(request: FaultRequest): void;
  status(): ApplicationStatus;
  stop(): Promise<void>;
}

/** Runs the instances of one region's application: stands in for the platform that a deployment would run on. */
export async function startOrchestrator(config: ApplicationConfig): Promise<Orchestrator> {
  const platform = new Platform(config);
  for (const [service, instances] of Object.entries(config.initialInstances ?? {})) {
    platform.scale(service, instances, 0);
  }
  const server = await serveJson(config.control, {
    'POST /targets': (body) => platform.setTargets(body as TargetsRequest),
    'POST /fault': (body) => {
      platform.setFault(body as FaultRequest);
      return platform.status();
    },
    'GET /status': () => platform.status(),
  });
  return {
    url: server.url,
    setTargets: (request) => platform.setTargets(request),
    setFault: (request) => platform.setFault(request),
    status: () => platform.status(),
    stop: async () => {
      await server.stop();
      await platform.stop();
    },
  };
}

class Platform {
  private readonly config: ApplicationConfig;
  private readonly slots = new Map<string, (Instance | undefined)[]>();
  private readonly targets = new Map<string, number>();
  private readonly ended = new Map<string, { served: number; failed: number; refused: number }>();
  private readonly leaving = new Set<Promise<void>>();
  private planHash: string | null = null;
  private firstStartedAt: string | null = null;
  private firstReadyAt: string | null = null;
  private started = 0;

  constructor(config: ApplicationConfig) {
    this.config = config;
    for (const service of config.services) {
      this.slots.set(service.name, []);
      this.targets.set(service.name, 0);
    }
  }

  setTargets(request: TargetsRequest): ReturnType<Orchestrator['setTargets']> {
    if (!Array.isArray(request?.targets)) throw new BadRequestError('targets: a list is needed');
    if (request.region !== this.config.region) {
      throw new BadRequestError(`region: this is ${this.config.region}, not ${request.region}`);
    }
    for (const { service, instances } of request.targets) {
      this.service(service);
      if (!Number.isInteger(instances) || instances < 0) {
        throw new BadRequestError(`targets: ${service} needs a whole number of instances, not ${instances}`);
      }
    }
    this.planHash = request.planHash;
    const accepted = request.targets.map(({ service, instances }) => ({
      service,
      requested: instances,
      target: this.scale(service, instances),
    }));
    return { accepted };
  }

  /** Starts and stops instances until as many run as wanted, or as there are endpoints; how many that is. */
  scale(name: string, instances: number, startupSeconds?: number): number {
    const service = this.service(name);
    const target = Math.min(instances, service.endpoints.length);
    const slots = this.slots.get(name) ?? [];
    this.targets.set(name, target);
    for (let i = 0; i < service.endpoints.length; i += 1) {
      const instance = slots[i];
      // One that is leaving still holds its endpoint; when it is gone the targets of then are applied.
      const running = instance !== undefined && instance.state !== 'stopped';
      if (i < target && !running) this.start(service, i, slots, startupSeconds ?? service.startupSeconds);
      if (i >= target && running && instance.state !== 'draining') {
        this.leave(instance.drain().then(() => void this.scale(name, this.targets.get(name) ?? 0)));
      }
    }
    return target;
  }

  setFault(request: FaultRequest): void {
    const service = this.service(request?.service);
    const slots = this.slots.get(service.name) ?? [];
    const chosen = request.instance === undefined ? slots : [slots[request.instance]];
    for (const instance of chosen) {
      if (instance === undefined) throw new BadRequestError(`${service.name} has no instance ${request.instance}`);
      const { slowFactor, failRate, healthy } = request;
      instance.setFault({
        ...(slowFactor === undefined ? {} : { slowFactor }),
        ...(failRate === undefined ? {} : { failRate }),
        ...(healthy === undefined ? {} : { healthy }),
      });
      if (request.kill === true) this.leave(instance.kill());
    }
  }

  status(): ApplicationStatus {
    return {
      region: this.config.region,
      planHash: this.planHash,
      firstInstanceStartedAt: this.firstStartedAt,
      firstInstanceReadyAt: this.firstReadyAt,
      services: Object.fromEntries(this.config.services.map((s) => [s.name, this.serviceStatus(s.name)])),
    };
  }

  async stop(): Promise<void> {
    for (const service of this.targets.keys()) this.targets.set(service, 0);
    const instances = [...this.slots.values()].flat().filter((i) => i !== undefined);
    await Promise.all(instances.map(async (instance) => instance.kill()));
    await Promise.all(this.leaving);
  }

  private start(service: ApplicationService, index: number, slots: (Instance | undefined)[], startup: number): void {
    const socket = service.endpoints[index];
    if (socket === undefined) return;
    const previous = slots[index];
    if (previous !== undefined) this.remember(service.name, previous);
    this.started += 1;
    const name = `${this.config.region}/${service.name}-${index}`;
    this.firstStartedAt ??= new Date().toISOString();
    slots[index] = startInstance(
      {
        ...service,
        service: service.name,
        region: this.config.region,
        instance: name,
        socket,
        seed: deriveSeed(this.config.seed, `${name}#${this.started}`),
        startupSeconds: startup,
        mesh: this.config.mesh,
        drainMs: this.config.drainMs,
      },
      () => {
        this.firstReadyAt ??= new Date().toISOString();
      },
    );
  }

  private serviceStatus(name: string): ServiceStatus {
    const instances = (this.slots.get(name) ?? []).filter((i) => i !== undefined);
    const past = this.ended.get(name) ?? { served: 0, failed: 0, refused: 0 };
    const sum = (key: 'served' | 'failed' | 'refused'): number =>
      instances.reduce((total, i) => total + i.counters[key], past[key]);
    return {
      target: this.targets.get(name) ?? 0,
      running: instances.filter((i) => i.state !== 'stopped').length,
      ready: instances.filter((i) => i.state === 'ready').length,
      served: sum('served'),
      failed: sum('failed'),
      refused: sum('refused'),
    };
  }

  private remember(name: string, instance: Instance): void {
    const past = this.ended.get(name) ?? { served: 0, failed: 0, refused: 0 };
    const { served, failed, refused } = instance.counters;
    this.ended.set(name, {
      served: past.served + served,
      failed: past.failed + failed,
      refused: past.refused + refused,
    });
  }

  private leave(ending: Promise<void>): void {
    const settled = ending.catch((error: unknown) => {
      process.stderr.write(`an instance did not stop cleanly: ${String(error)}\n`);
    });
    this.leaving.add(settled);
    void settled.then(() => this.leaving.delete(settled));
  }

  private service(name: string): ApplicationService {
    const service = this.config.services.find((s) => s.name === name);
    if (service === undefined) throw new BadRequestError(`${name} is not a service of ${this.config.region}`);
    return service;
  }
}
