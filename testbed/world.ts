import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Document } from 'yaml';
import type { SocketSpec, RegionSpec } from '../core/spec/region.js';

import type { ApplicationConfig, ApplicationService } from './app/config.js';
import type { ApplicationStatus, FaultRequest } from './app/orchestrator.js';
import { requestJson, waitFor } from './http.js';
import type { LoadConfig, LoadReport } from './load.js';
import { startNeighbour, urlOf, writeJson } from './neighbour.js';
import type { Neighbour } from './neighbour.js';
import { freePort, freePortRange } from './ports.js';
import { startProcess, stopLeftovers } from './processes.js';
import type { RunningProcess } from './processes.js';
import { deriveSeed } from './random.js';
import { writeRegionFile } from './regionFile.js';
import { stopProxies } from './proxies.js';
import { projectRoot, typescriptArgs } from './run.js';

export interface WorldOptions {
  /** Everything of the run goes here: region file, demand, logs, process records, the hosts' folders. */
  directory: string;
  seed?: number;
  /** Demand seconds in one wall second; absent: as in the example. */
  speed?: number;
  /** ISO 8601; where in the recorded demand the run begins; absent: as in the example. */
  demandFrom?: string;
  /** Multiplies history and demand alike, so that forecasts stay what they are. */
  rateScale?: number;
  judgeSeconds?: number;
  minRequests?: number;
  tickSeconds?: number;
  /** Of every service; absent: as in the example. */
  startupSeconds?: number;
  autonomy?: RegionSpec['autonomy'];
  /** Has the last word on the region file, before it is checked and written. */
  change?(document: Document): void;
}

export interface World {
  directory: string;
  /** The region file of this run, and what it says. */
  regionFile: string;
  regionText: string;
  spec: RegionSpec;
  neighbour: Neighbour;
  /** The region's application: no instances until the program asks for them. */
  application: {
    url: string;
    status(): Promise<ApplicationStatus>;
    setFault(fault: FaultRequest): Promise<void>;
  };
  load: {
    url: string;
    report(): Promise<LoadReport>;
    setPhase(phase: string): Promise<void>;
  };
  /** Names of processes of an earlier run that were found and ended at the start. */
  leftovers: readonly string[];
  /** Ends everything: load first, then the applications and proxies, those that a playbook started included. */
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** A stopping instance stays until proxies have seen it unhealthy. */
const DRAIN_MS = 3000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_IN_FLIGHT = 500;

/** A neighbour that serves, users that it serves, and the empty place where a region will be. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const directory = path.resolve(options.directory);
  mkdirSync(directory, { recursive: true });
  const neighbourFolder = path.join(directory, 'neighbour');
  const leftovers = [...(await stopLeftovers(directory)), ...(await stopLeftovers(neighbourFolder))];
  await stopProxies(path.join(directory, 'hosts'));
  const seed = options.seed ?? 1;
  const sockets = {
    application: await freeSocket(),
    load: await freeSocket(),
    neighbour: {
      ingress: await freeSocket(),
      mesh: await freeSocket(),
      gateway: await freeSocket(),
      admin: await freeSocket(),
      control: await freeSocket(),
    },
  };
  const { file, text, spec, demandFile } = await writeRegionFile({
    ...options,
    directory,
    instanceTargetsUrl: `${urlOf(sockets.application)}/targets`,
    entryUrl: `${urlOf(sockets.load)}/entry`,
    neighbourGateway: sockets.neighbour.gateway,
  });

  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
    await stopProxies(path.join(directory, 'hosts'));
  };
  try {
    const neighbour = await startNeighbour({
      folder: neighbourFolder,
      region: neighbourOf(spec).name,
      zone: neighbourOf(spec).locality.zone,
      networkLatencyMs: neighbourOf(spec).networkLatencyMs,
      seed: deriveSeed(seed, 'neighbour'),
      ...sockets.neighbour,
      services: await neighbourServices(spec),
    });
    started.push(async () => neighbour.stop());
    const application = startApplication(directory, spec, sockets.application, deriveSeed(seed, 'application'));
    started.push(async () => application.stop());
    await ready(application, `${urlOf(sockets.application)}/status`);
    const load = startUsers(directory, spec, demandFile, sockets.load, neighbour.ingress, deriveSeed(seed, 'load'));
    started.push(async () => load.stop());
    await ready(load, `${urlOf(sockets.load)}/stats`);
    const [applicationUrl, loadUrl] = [urlOf(sockets.application), urlOf(sockets.load)];
    return {
      directory,
      regionFile: file,
      regionText: text,
      spec,
      neighbour,
      application: {
        url: applicationUrl,
        status: async () => requestJson(`${applicationUrl}/status`),
        setFault: async (fault) => {
          await requestJson(`${applicationUrl}/fault`, fault);
        },
      },
      load: {
        url: loadUrl,
        report: async () => requestJson(`${loadUrl}/stats`),
        setPhase: async (phase) => {
          await requestJson(`${loadUrl}/phase`, { phase });
        },
      },
      leftovers,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function freeSocket(): Promise<SocketSpec> {
  return { address: LOOPBACK, port: await freePort() };
}

function neighbourOf(spec: RegionSpec): RegionSpec['neighbours'][number] {
  const [neighbour] = spec.neighbours;
  if (neighbour === undefined) throw new Error(`${spec.name} has no neighbour that could serve its users`);
  return neighbour;
}

/** The application that the region file describes. */
function applicationServices(spec: RegionSpec): readonly ApplicationService[] {
  const edges = spec.graph.edges ?? [];
  return spec.services.map((service) => {
    const callees = edges
      .filter((edge) => edge.caller === service.name)
      .map(({ callee, callsPerRequest }) => ({ service: callee, callsPerRequest }));
    const waitsMs = callees.reduce((sum, { service: name, callsPerRequest }) => {
      const callee = spec.services.find((s) => s.name === name);
      return sum + callsPerRequest * (callee?.capacity.serviceTimeMs ?? 0);
    }, 0);
    return {
      name: service.name,
      endpoints: service.endpoints,
      healthPath: service.healthPath,
      concurrency: service.capacity.concurrency,
      // The region file states the whole time, calls to other services included.
      serviceTimeMs: Math.max(1, service.capacity.serviceTimeMs - waitsMs),
      distribution: 'lognormal' as const,
      startupSeconds: service.capacity.startupSeconds,
      maxQueue: service.capacity.concurrency * 20,
      callees,
    };
  });
}

/** The same services elsewhere, as many instances of each as the region could ever have. */
async function neighbourServices(spec: RegionSpec): Promise<Parameters<typeof startNeighbour>[0]['services']> {
  const services: Parameters<typeof startNeighbour>[0]['services'][number][] = [];
  for (const service of applicationServices(spec)) {
    const first = await freePortRange(service.endpoints.length);
    const endpoints = service.endpoints.map((_, i) => ({ address: LOOPBACK, port: first + i }));
    const pathPrefix = spec.services.find((s) => s.name === service.name)?.entry?.pathPrefix;
    const entry = pathPrefix === undefined ? {} : { pathPrefix };
    services.push({ ...service, ...entry, endpoints, timeoutMs: REQUEST_TIMEOUT_MS });
  }
  return services;
}

function startApplication(directory: string, spec: RegionSpec, control: SocketSpec, seed: number): RunningProcess {
  const [host] = spec.delivery.hosts;
  if (host === undefined) throw new Error(`${spec.name} has no host`);
  const config: ApplicationConfig = {
    region: spec.name,
    control,
    mesh: host.proxy.mesh,
    seed,
    drainMs: DRAIN_MS,
    services: applicationServices(spec),
  };
  return startProcess(directory, {
    name: `${spec.name}-application`,
    command: process.execPath,
    args: [
      ...typescriptArgs('testbed/app/main.ts'),
      '--config',
      writeJson(path.join(directory, 'config'), 'application.json', config),
    ],
    cwd: projectRoot,
  });
}

function startUsers(
  directory: string,
  spec: RegionSpec,
  demandFile: string,
  control: SocketSpec,
  neighbourIngress: SocketSpec,
  seed: number,
): RunningProcess {
  const [host] = spec.delivery.hosts;
  if (host === undefined || spec.demandClock === undefined) throw new Error(`${spec.name} has no host or no clock`);
  const config: LoadConfig = {
    control,
    seed,
    demandFile,
    clock: spec.demandClock,
    rateScale: 1,
    entries: spec.services.flatMap((s) =>
      s.entry === undefined ? [] : [{ service: s.name, pathPrefix: s.entry.pathPrefix }],
    ),
    region: spec.name,
    regionIngress: host.proxy.ingress,
    neighbour: neighbourOf(spec).name,
    neighbourIngress,
    maxInFlight: MAX_IN_FLIGHT,
    timeoutMs: REQUEST_TIMEOUT_MS,
  };
  return startProcess(directory, {
    name: 'load',
    command: process.execPath,
    args: [
      ...typescriptArgs('testbed/load/main.ts'),
      '--config',
      writeJson(path.join(directory, 'config'), 'load.json', config),
    ],
    cwd: projectRoot,
  });
}

async function ready(started: RunningProcess, url: string): Promise<void> {
  await waitFor(`${started.name} (see ${started.logFile})`, 20_000, async () => {
    if (!started.isRunning()) throw new Error('it ended');
    return requestJson<object>(url);
  });
}
