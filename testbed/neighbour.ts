import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { locatePart } from '../scripts/parts/locate.js';
import type { SocketSpec } from '../core/spec/region.js';
import type { ApplicationConfig, ApplicationService } from './app/config.js';
import type { ApplicationStatus } from './app/orchestrator.js';
import { staticBootstrap } from './envoyConfig.js';
import { requestJson, waitFor } from './http.js';
import { startProcess } from './processes.js';
import type { RunningProcess } from './processes.js';
import { projectRoot, typescriptArgs } from './run.js';

export interface NeighbourOptions {
  /** Configuration, logs and process records go here. */
  folder: string;
  region: string;
  zone: string;
  seed: number;
  ingress: SocketSpec;
  mesh: SocketSpec;
  /** Where other regions send requests to it. */
  gateway: SocketSpec;
  admin: SocketSpec;
  control: SocketSpec;
  /** Added to every request through the gateway. */
  networkLatencyMs: number;
  services: readonly (ApplicationService & { pathPrefix?: string; timeoutMs: number })[];
}

export interface Neighbour {
  region: string;
  ingress: SocketSpec;
  gateway: SocketSpec;
  controlUrl: string;
  adminUrl: string;
  status(): Promise<ApplicationStatus>;
  stop(): Promise<void>;
}

/** A region that already serves: its own application, all instances up, behind its own Envoy. */
export async function startNeighbour(options: NeighbourOptions): Promise<Neighbour> {
  const { folder, region } = options;
  mkdirSync(folder, { recursive: true });
  const application: ApplicationConfig = {
    region,
    control: options.control,
    mesh: options.mesh,
    seed: options.seed,
    drainMs: 2000,
    services: options.services,
    initialInstances: Object.fromEntries(options.services.map((s) => [s.name, s.endpoints.length])),
  };
  const applicationFile = writeJson(folder, `${region}-application.json`, application);
  const bootstrapFile = writeJson(
    folder,
    `${region}-envoy.json`,
    staticBootstrap({ ...options, gateway: { ...options.gateway, delayMs: 2 * options.networkLatencyMs } }),
  );
  const app = startProcess(folder, {
    name: `${region}-application`,
    command: process.execPath,
    args: [...typescriptArgs('testbed/app/main.ts'), '--config', applicationFile],
    cwd: projectRoot,
  });
  const envoy = startProcess(folder, {
    name: `${region}-envoy`,
    command: locatePart('envoy'),
    args: ['-c', bootstrapFile, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warn'],
  });
  const stop = async (): Promise<void> => {
    await Promise.all([envoy.stop(), app.stop()]);
  };
  const controlUrl = urlOf(options.control);
  const adminUrl = urlOf(options.admin);
  try {
    await waitUntilServing(options, [app, envoy], controlUrl, adminUrl);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    region,
    ingress: options.ingress,
    gateway: options.gateway,
    controlUrl,
    adminUrl,
    status: async () => requestJson<ApplicationStatus>(`${controlUrl}/status`),
    stop,
  };
}

async function waitUntilServing(
  options: NeighbourOptions,
  processes: readonly RunningProcess[],
  controlUrl: string,
  adminUrl: string,
): Promise<void> {
  await waitFor(`${options.region} serving (see ${path.join(options.folder, 'logs')})`, 30_000, async () => {
    const ended = processes.find((p) => !p.isRunning());
    if (ended !== undefined) throw new Error(`${ended.name} ended, see ${ended.logFile}`);
    const { services } = await requestJson<ApplicationStatus>(`${controlUrl}/status`);
    if (Object.values(services).some((s) => s.ready < s.target)) return false;
    const ready = await fetch(`${adminUrl}/ready`, { signal: AbortSignal.timeout(2000) });
    if (!ready.ok) return false;
    const clusters = await (await fetch(`${adminUrl}/clusters`, { signal: AbortSignal.timeout(2000) })).text();
    // An instance that was checked before it listened is healthy only after the next round.
    return !clusters.includes('failed_active_hc') && clusters.includes('health_flags::healthy');
  });
}

export function writeJson(folder: string, name: string, value: unknown): string {
  const file = path.join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
  return file;
}

export function urlOf(socket: SocketSpec): string {
  return `http://${socket.address}:${socket.port}`;
}
