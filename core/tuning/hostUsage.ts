import { newest } from './newest.js';

/** What a host's node exporter counted at one moment, summed over its CPUs. */
export interface HostReading {
  host: string;
  /** Milliseconds since the epoch. */
  at: number;
  cpus: number;
  /** CPU seconds since the host started. Busy: user, nice, system and interrupts; guests are part of user and nice. */
  busySeconds: number;
  idleSeconds: number;
  iowaitSeconds: number;
  stealSeconds: number;
  /** `null`: not told. */
  memoryTotalBytes: number | null;
  memoryAvailableBytes: number | null;
  load1: number | null;
}

export interface HostReadings {
  readings: readonly HostReading[];
  problems: readonly string[];
}

/** `null` is "not known", never zero. Shares are of all CPUs, or of the memory, 0–1. */
export interface HostUsage {
  host: string;
  /** Between the two readings that the CPU shares rest on. */
  windowSeconds: number | null;
  cpuShare: number | null;
  /** Idle with a request to a disk outstanding: not part of `cpuShare`. */
  iowaitShare: number | null;
  /** Wanted and given to other guests of the same machine: not part of `cpuShare`, and lost to this host. */
  stealShare: number | null;
  /** What cannot be had without swapping. */
  memoryShare: number | null;
  load1: number | null;
  /** From the newer reading to now. */
  ageSeconds: number | null;
}

export interface HostUsages {
  hosts: readonly HostUsage[];
  problems: readonly string[];
}

const COUNTERS = ['busySeconds', 'idleSeconds', 'iowaitSeconds', 'stealSeconds'] as const;

/**
 * CPU and memory of each of `hosts`, in their order, from two readings of it. A host that is missing in the newer one
 * is not known at all; one that is missing in the older one, that restarted in between (a counter went down) or whose
 * CPUs are not the same has no CPU shares. Each of these is a problem in words.
 */
export function hostUsage(
  hosts: readonly string[],
  before: readonly HostReading[],
  after: readonly HostReading[],
  nowMs: number,
): HostUsages {
  const problems: string[] = [];
  const usages = hosts.map((host): HostUsage => {
    const now = newest(after, host);
    if (now === undefined) {
      problems.push(`${host}: CPU and memory are not known: its node exporter was not read`);
      return unknownUsage(host);
    }
    const cpu = cpuBetween(newest(before, host), now);
    if (typeof cpu === 'string') problems.push(`${host}: CPU is not known: ${cpu}`);
    const memoryShare = memoryOf(now);
    if (memoryShare === null) problems.push(`${host}: memory is not known: its node exporter does not tell it`);
    return {
      ...unknownUsage(host),
      ...(typeof cpu === 'string' ? {} : cpu),
      memoryShare,
      load1: now.load1,
      ageSeconds: Math.max(0, (nowMs - now.at) / 1000),
    };
  });
  return { hosts: usages, problems };
}

function unknownUsage(host: string): HostUsage {
  return {
    host,
    windowSeconds: null,
    cpuShare: null,
    iowaitShare: null,
    stealShare: null,
    memoryShare: null,
    load1: null,
    ageSeconds: null,
  };
}

type CpuShares = Pick<HostUsage, 'windowSeconds' | 'cpuShare' | 'iowaitShare' | 'stealShare'>;

/** The shares, or why there are none. */
function cpuBetween(before: HostReading | undefined, after: HostReading): CpuShares | string {
  if (before === undefined) return 'there is no earlier reading';
  const windowSeconds = (after.at - before.at) / 1000;
  if (!(windowSeconds > 0)) return 'the earlier reading is not earlier';
  if (before.cpus !== after.cpus) return `it had ${before.cpus} CPUs and has ${after.cpus}`;
  if (COUNTERS.some((counter) => after[counter] < before[counter])) {
    return 'a counter went down: the host restarted between the readings';
  }
  const [busy, idle, iowait, steal] = COUNTERS.map((counter) => after[counter] - before[counter]) as Deltas;
  // Shares of what was counted and not of the clock: two clocks and the way between them play no part.
  const total = busy + idle + iowait + steal;
  if (!(total > 0)) return 'nothing was counted between the readings';
  return { windowSeconds, cpuShare: busy / total, iowaitShare: iowait / total, stealShare: steal / total };
}

type Deltas = [busy: number, idle: number, iowait: number, steal: number];

function memoryOf({ memoryTotalBytes: total, memoryAvailableBytes: available }: HostReading): number | null {
  if (total === null || available === null || !(total > 0) || available > total) return null;
  return 1 - available / total;
}
