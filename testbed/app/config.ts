import { readFileSync } from 'node:fs';
import type { SocketSpec } from '../../core/spec/region.js';
import type { CalleeSpec, InstanceOptions } from './instance.js';

/** The application of one region: what `main.ts --config FILE` reads as JSON. */
export interface ApplicationConfig {
  region: string;
  control: SocketSpec;
  /** The region's mesh listener, for calls between services. */
  mesh: SocketSpec;
  seed: number;
  drainMs: number;
  services: readonly ApplicationService[];
  /** Instances running from the start, without a cold start, for a region that already serves. */
  initialInstances?: Readonly<Record<string, number>>;
}

export interface ApplicationService extends Pick<
  InstanceOptions,
  'healthPath' | 'concurrency' | 'serviceTimeMs' | 'distribution' | 'startupSeconds' | 'maxQueue'
> {
  name: string;
  /** Where instances listen, in the order in which they are started. */
  endpoints: readonly SocketSpec[];
  callees: readonly CalleeSpec[];
}

export function readApplicationConfig(file: string): ApplicationConfig {
  return JSON.parse(readFileSync(file, 'utf8')) as ApplicationConfig;
}
