import type { World } from './world.js';

/** What happens to the application while people watch: a dependency that slows down under load, and recovers. */
export interface IncidentSpec {
  service: string;
  slowFactor: number;
  /** Begins when demand of this entry service first reaches so much in operation. */
  entry: string;
  atRps: number;
  durationMs: number;
}

export const SLOW_PAYMENTS: IncidentSpec = {
  service: 'payments',
  slowFactor: 5,
  entry: 'checkout',
  atRps: 8,
  durationMs: 45_000,
};

/** Runs one incident, once. */
export class Incident {
  private readonly spec: IncidentSpec;
  private readonly world: World;
  private endsAtMs: number | null = null;
  private over = false;

  constructor(spec: IncidentSpec, world: World) {
    this.spec = spec;
    this.world = world;
  }

  /** Begins or ends it when its time has come; returns what a person should know. */
  async step(nowMs: number): Promise<string | null> {
    const { service, slowFactor, entry, atRps, durationMs } = this.spec;
    if (this.over) return null;
    if (this.endsAtMs !== null) {
      if (nowMs < this.endsAtMs) return null;
      this.over = true;
      await this.world.application.setFault({ service, slowFactor: 1 });
      return `incident over: ${service} is as fast as before`;
    }
    const { demandRps } = await this.world.load.report();
    if ((demandRps[entry] ?? 0) < atRps) return null;
    this.endsAtMs = nowMs + durationMs;
    await this.world.application.setFault({ service, slowFactor });
    return `incident: every instance of ${service} takes ${slowFactor} times as long, for ${durationMs / 1000} s`;
  }
}
