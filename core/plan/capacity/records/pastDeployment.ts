import type { Problem } from '../../../spec/problem.js';

/** What a service did at one time in a past deployment. Absent: not known. */
export interface PastDeployment {
  /** Milliseconds since the epoch. */
  at: number;
  service: string;
  region?: string;
  instances: number;
  /** Cores and memory of one instance. */
  cpu?: number;
  memoryMiB?: number;
  /** From the start of an instance until it took requests. */
  startupSeconds?: number;
  /** Answered by all instances together. */
  throughputRps?: number;
  p99Ms?: number;
}

/** Records found in a file, and everything that is wrong with it. */
export interface RecordsRead {
  records: readonly PastDeployment[];
  problems: readonly Problem[];
}

/** Longer than any start: what took so long was something else. */
export const LONGEST_START_SECONDS = 3600;
