import { randomUUID } from 'node:crypto';
import { BadRequestError, serveJson } from './http.js';
import { demandTime, readDemand, wallTime } from './load/demand.js';
import type { RecordedDemand } from './load/demand.js';
import { createSender } from './load/sender.js';
import type { Sender } from './load/sender.js';
import { LoadStats, outcomeOf } from './load/stats.js';
import type { LoadFailure, LoadSecond, LoadWindow } from './load/stats.js';
import { deriveSeed, exponential, seededRandom } from './random.js';
import type { DemandClockSpec, SocketSpec } from '../core/spec/region.js';

/** Users, as recorded: what `load/main.ts --config FILE` reads as JSON. */
export interface LoadConfig {
  control: SocketSpec;
  seed: number;
  /** Long CSV `timestamp,service,rps` of the entry services. */
  demandFile: string;
  clock: DemandClockSpec;
  /** Multiplies the recorded demand. */
  rateScale: number;
  entries: readonly { service: string; pathPrefix: string }[];
  /** The region that is being prepared, and where its users are served until then. */
  region: string;
  regionIngress: SocketSpec;
  neighbour: string;
  neighbourIngress: SocketSpec;
  maxInFlight: number;
  timeoutMs: number;
}

export interface EntryRequest {
  region: string;
  phase: 'activate' | 'drain';
}

export interface LoadReport {
  startedAt: string;
  /** ISO 8601, UTC */
  demandTime: string;
  /** Region whose ingress users are sent to now. */
  entry: string;
  phase: string;
  /** Every change of entry, with when it was made. */
  switches: readonly { at: string; entry: string; phase: string }[];
  /** Demand at this moment by service, requests per second. */
  demandRps: Readonly<Record<string, number>>;
  inFlight: number;
  totals: LoadWindow;
  byService: Readonly<Record<string, LoadWindow>>;
  seconds: readonly LoadSecond[];
  failures: readonly LoadFailure[];
}

export interface Load {
  /** Base of the control API: `POST /entry`, `POST /phase {phase}`, `POST /scale {rateScale}`, `GET /stats`. */
  url: string;
  switchEntry(request: EntryRequest): { entry: string; changed: boolean };
  setPhase(phase: string): void;
  setRateScale(rateScale: number): void;
  report(): LoadReport;
  /** Stops sending and waits for what is in flight. */
  stop(): Promise<void>;
}

/** Below this rate nothing is sent; the next change of the demand is awaited. */
const LEAST_RPS = 1e-6;
/** An arrival is drawn anew at least this often, so that a changed scale or clock is noticed. */
const LOOK_AHEAD_MS = 1000;

/**
 * Open-loop load: arrivals are a Poisson process at the recorded rate, whatever becomes of the requests before, and
 * latencies run from the intended send time, so a slow system cannot hide by slowing its users down.
 */
export async function startLoad(config: LoadConfig): Promise<Load> {
  const generator = new Generator(config, readDemand(config.demandFile));
  const server = await serveJson(config.control, {
    'POST /entry': (body) => generator.switchEntry(body as EntryRequest),
    'POST /phase': (body) => {
      const { phase } = (body ?? {}) as { phase?: unknown };
      if (typeof phase !== 'string') throw new BadRequestError('phase: a text is needed');
      generator.phase = phase;
      return { phase };
    },
    'POST /scale': (body) => {
      const { rateScale } = (body ?? {}) as { rateScale?: unknown };
      if (typeof rateScale !== 'number' || !(rateScale >= 0))
        throw new BadRequestError('rateScale: a number is needed');
      generator.rateScale = rateScale;
      return { rateScale };
    },
    'GET /stats': () => generator.report(),
  });
  generator.start();
  return {
    url: server.url,
    switchEntry: (request) => generator.switchEntry(request),
    setPhase: (phase) => {
      generator.phase = phase;
    },
    setRateScale: (rateScale) => {
      generator.rateScale = rateScale;
    },
    report: () => generator.report(),
    stop: async () => {
      await generator.stop();
      await server.stop();
    },
  };
}

class Generator {
  phase = 'neighbour';
  rateScale: number;
  private readonly config: LoadConfig;
  private readonly demand: RecordedDemand;
  private readonly stats = new LoadStats();
  private readonly senders: Readonly<Record<string, Sender>>;
  private readonly switches: { at: string; entry: string; phase: string }[] = [];
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly startedAt = new Date().toISOString();
  private entry: string;
  private inFlight = 0;
  private stopped = false;

  constructor(config: LoadConfig, demand: RecordedDemand) {
    this.config = config;
    this.demand = demand;
    this.rateScale = config.rateScale;
    this.entry = config.neighbour;
    this.senders = {
      [config.neighbour]: createSender(config.neighbourIngress, config.timeoutMs),
      [config.region]: createSender(config.regionIngress, config.timeoutMs),
    };
  }

  start(): void {
    for (const { service, pathPrefix } of this.config.entries) {
      const random = seededRandom(deriveSeed(this.config.seed, service));
      this.schedule(service, pathPrefix, Date.now(), () => exponential(random, 1));
    }
  }

  switchEntry(request: EntryRequest): { entry: string; changed: boolean } {
    const { region, neighbour } = this.config;
    if (request?.region !== region) throw new BadRequestError(`region: these are the users of ${region}`);
    if (request.phase !== 'activate' && request.phase !== 'drain') {
      throw new BadRequestError('phase: activate or drain');
    }
    const entry = request.phase === 'activate' ? region : neighbour;
    const changed = entry !== this.entry;
    this.entry = entry;
    this.phase = request.phase;
    if (changed) this.switches.push({ at: new Date().toISOString(), entry, phase: request.phase });
    return { entry, changed };
  }

  report(): LoadReport {
    const now = demandTime(this.config.clock, Date.now());
    const rps = this.config.entries.map(({ service }) => [service, this.demand.rpsAt(service, now) * this.rateScale]);
    return {
      startedAt: this.startedAt,
      demandTime: new Date(now).toISOString(),
      entry: this.entry,
      phase: this.phase,
      switches: this.switches,
      demandRps: Object.fromEntries(rps) as Record<string, number>,
      inFlight: this.inFlight,
      totals: this.stats.totals(),
      byService: this.stats.byService(),
      seconds: this.stats.seconds(),
      failures: this.stats.failures(),
    };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    const deadline = Date.now() + this.config.timeoutMs;
    while (this.inFlight > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const sender of Object.values(this.senders)) sender.close();
  }

  /** The next arrival after `fromMs`. A wait that passes a change of the rate is drawn anew there: it has no memory. */
  private schedule(service: string, pathPrefix: string, fromMs: number, draw: () => number): void {
    if (this.stopped) return;
    const { clock } = this.config;
    const demandMs = demandTime(clock, fromMs);
    const rps = this.demand.rpsAt(service, demandMs) * this.rateScale;
    const changeMs = wallTime(clock, this.demand.nextChangeMs(service, demandMs));
    const waitMs = rps < LEAST_RPS ? Infinity : (draw() / rps) * 1000;
    const horizonMs = Math.min(changeMs, fromMs + LOOK_AHEAD_MS);
    const arrives = fromMs + waitMs <= horizonMs;
    const nextMs = arrives ? fromMs + waitMs : horizonMs;
    const timer = setTimeout(
      () => {
        if (arrives) void this.send(service, pathPrefix, nextMs);
        this.schedule(service, pathPrefix, nextMs, draw);
      },
      Math.max(0, nextMs - Date.now()),
    );
    this.timers.set(service, timer);
  }

  private async send(service: string, pathPrefix: string, intendedMs: number): Promise<void> {
    const sender = this.senders[this.entry];
    if (sender === undefined) return;
    if (this.inFlight >= this.config.maxInFlight) {
      this.stats.count(service, intendedMs, 'dropped');
      return;
    }
    const { entry, phase } = this;
    const requestId = randomUUID();
    this.inFlight += 1;
    this.stats.count(service, intendedMs, 'sent');
    const answer = await sender.get(pathPrefix, requestId);
    this.inFlight -= 1;
    if (answer.resent) this.stats.count(service, intendedMs, 'resent');
    const outcome = outcomeOf(answer.status);
    this.stats.finish(service, intendedMs, outcome, Date.now() - intendedMs);
    if (outcome === '5xx' || outcome === 'connection') {
      const at = new Date(intendedMs).toISOString();
      const { status, message } = answer;
      this.stats.fail({ at, service, status, entry, phase, requestId, message });
    }
  }
}
