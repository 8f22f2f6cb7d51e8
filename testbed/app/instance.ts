import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SocketSpec } from '../../core/spec/region.js';
import { closeServer, listen, sendJson, statusOf } from '../http.js';
import { exponential, logNormal, seededRandom } from '../random.js';
import type { Random } from '../random.js';

export interface CalleeSpec {
  service: string;
  /** The fraction is the probability of one more call. */
  callsPerRequest: number;
}

export interface InstanceOptions {
  service: string;
  region: string;
  instance: string;
  socket: SocketSpec;
  healthPath: string;
  /** Requests worked on at the same time. */
  concurrency: number;
  /** Mean time of the instance's own work; calls to callees come on top, and hold the slot as well. */
  serviceTimeMs: number;
  distribution: 'exponential' | 'lognormal';
  seed: number;
  startupSeconds: number;
  /** Requests that may wait for a slot; one more is answered 503 at once. */
  maxQueue: number;
  callees: readonly CalleeSpec[];
  /** The mesh listener through which callees are reached by `Host: <service>`. */
  mesh: SocketSpec;
  /** How long a stopping instance reports itself unhealthy while it still serves. */
  drainMs: number;
}

export interface Fault {
  /** Multiplies the service time; 1 is normal. */
  slowFactor?: number;
  /** Share of requests answered 500 after the work, 0–1. */
  failRate?: number;
  /** `false`: the health check answers 503. */
  healthy?: boolean;
}

export type InstanceState = 'starting' | 'ready' | 'draining' | 'stopped';

export interface Instance {
  readonly name: string;
  readonly state: InstanceState;
  readonly counters: Readonly<{ served: number; failed: number; refused: number; working: number; waiting: number }>;
  setFault(fault: Fault): void;
  /** Leaves gracefully: unhealthy first, then no new requests, then the end. */
  drain(): Promise<void>;
  /** Ends at once and breaks what is in flight. */
  kill(): Promise<void>;
}

const CALL_TIMEOUT_MS = 10_000;
const LOG_NORMAL_VARIATION = 0.5;

/** Starts one instance; it listens after its cold start. `onReady` runs then. */
export function startInstance(options: InstanceOptions, onReady: () => void = () => undefined): Instance {
  return new HttpInstance(options, onReady);
}

class HttpInstance implements Instance {
  readonly name: string;
  state: InstanceState = 'starting';
  readonly counters = { served: 0, failed: 0, refused: 0, working: 0, waiting: 0 };
  private readonly options: InstanceOptions;
  private readonly random: Random;
  private readonly agent = new http.Agent({ keepAlive: true });
  private readonly queue: (() => void)[] = [];
  private readonly server: http.Server;
  private readonly startTimer: NodeJS.Timeout;
  private fault: Required<Fault> = { slowFactor: 1, failRate: 0, healthy: true };

  constructor(options: InstanceOptions, onReady: () => void) {
    this.options = options;
    this.name = options.instance;
    this.random = seededRandom(options.seed);
    this.server = http.createServer((request, response) => {
      void this.handle(request, response);
    });
    // A server that closes an idle connection first races with the proxy's next request on it.
    this.server.keepAliveTimeout = 3_600_000;
    this.startTimer = setTimeout(() => {
      void this.listen(onReady);
    }, options.startupSeconds * 1000);
  }

  setFault(fault: Fault): void {
    this.fault = { ...this.fault, ...fault };
  }

  async drain(): Promise<void> {
    if (this.state !== 'ready') return this.kill();
    this.state = 'draining';
    await delay(this.options.drainMs);
    const deadline = Date.now() + 5000;
    while (this.counters.working + this.counters.waiting > 0 && Date.now() < deadline) await delay(20);
    return this.kill();
  }

  async kill(): Promise<void> {
    clearTimeout(this.startTimer);
    this.state = 'stopped';
    this.agent.destroy();
    if (this.server.listening) await closeServer(this.server);
  }

  private async listen(onReady: () => void): Promise<void> {
    try {
      await listen(this.server, this.options.socket);
    } catch (error) {
      // Also when it was told to stop meanwhile: then nothing is left to do.
      if (this.state !== 'stopped') process.stderr.write(`${this.name} cannot listen: ${String(error)}\n`);
      this.state = 'stopped';
      return;
    }
    if (this.hasStopped()) return closeServer(this.server);
    this.state = 'ready';
    onReady();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    // Callers that keep their connection would hold a draining instance open for ever.
    if (this.state === 'draining') response.setHeader('connection', 'close');
    if (request.url === this.options.healthPath) {
      const healthy = this.fault.healthy && this.state === 'ready';
      return sendJson(response, healthy ? 200 : 503, { healthy });
    }
    const { service, region } = this.options;
    const me = { service, region, instance: this.name };
    if (!(await this.takeSlot())) {
      this.counters.refused += 1;
      return sendJson(response, 503, { ...me, error: 'queue full' });
    }
    const failing = this.random() < this.fault.failRate;
    await delay(this.workMs());
    const error = failing ? { status: 500, error: 'injected' } : await this.callCallees(request);
    this.giveSlot();
    if (error === null) this.counters.served += 1;
    else this.counters.failed += 1;
    sendJson(response, error?.status ?? 200, error === null ? me : { ...me, error: error.error });
  }

  private hasStopped(): boolean {
    return this.state === 'stopped';
  }

  private workMs(): number {
    const mean = this.options.serviceTimeMs * this.fault.slowFactor;
    return this.options.distribution === 'exponential'
      ? exponential(this.random, mean)
      : logNormal(this.random, mean, LOG_NORMAL_VARIATION);
  }

  /** First come, first served; `false` when the queue is full. */
  private async takeSlot(): Promise<boolean> {
    if (this.counters.working < this.options.concurrency) {
      this.counters.working += 1;
      return true;
    }
    if (this.queue.length >= this.options.maxQueue) return false;
    this.counters.waiting += 1;
    await new Promise<void>((resolve) => this.queue.push(resolve));
    this.counters.waiting -= 1;
    return true;
  }

  private giveSlot(): void {
    const next = this.queue.shift();
    // The slot passes on to the next in line, so that nobody overtakes it.
    if (next === undefined) this.counters.working -= 1;
    else next();
  }

  private async callCallees(request: IncomingMessage): Promise<{ status: number; error: string } | null> {
    const id = request.headers['x-request-id'];
    for (const callee of this.options.callees) {
      const whole = Math.floor(callee.callsPerRequest);
      const calls = whole + (this.random() < callee.callsPerRequest - whole ? 1 : 0);
      for (let i = 0; i < calls; i += 1) {
        const status = await this.call(callee.service, typeof id === 'string' ? id : undefined);
        if (status >= 400) return { status: 502, error: `${callee.service} answered ${status}` };
        if (status === 0) return { status: 502, error: `${callee.service} did not answer` };
      }
    }
    return null;
  }

  /** Status of the answer; 0 when there was none. */
  private async call(service: string, requestId: string | undefined): Promise<number> {
    return statusOf({
      host: this.options.mesh.address,
      port: this.options.mesh.port,
      path: '/',
      agent: this.agent,
      timeout: CALL_TIMEOUT_MS,
      headers: { host: service, ...(requestId === undefined ? {} : { 'x-request-id': requestId }) },
    });
  }
}

async function delay(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
}
