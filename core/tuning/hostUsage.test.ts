import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hostUsage } from './hostUsage.js';
import type { HostReading } from './hostUsage.js';

const GIB = 2 ** 30;

function reading(change: Partial<HostReading> = {}): HostReading {
  return {
    host: 'edge-1',
    at: 1_000_000,
    cpus: 2,
    busySeconds: 100,
    idleSeconds: 1000,
    iowaitSeconds: 10,
    stealSeconds: 5,
    memoryTotalBytes: 16 * GIB,
    memoryAvailableBytes: 12 * GIB,
    load1: 0.5,
    ...change,
  };
}

const before = reading();
const after = reading({
  at: 1_010_000,
  busySeconds: 112,
  idleSeconds: 1004,
  iowaitSeconds: 11,
  stealSeconds: 8,
  load1: 1.25,
});

describe('hostUsage', () => {
  it('shares what was counted between two readings; iowait and steal stand apart', () => {
    const usage = {
      host: 'edge-1',
      windowSeconds: 10,
      cpuShare: 0.6,
      iowaitShare: 0.05,
      stealShare: 0.15,
      memoryShare: 0.25,
      load1: 1.25,
      ageSeconds: 4,
    };
    expect(hostUsage(['edge-1'], [before], [after], 1_014_000)).toEqual({ hosts: [usage], problems: [] });
  });

  it('takes the newest of several readings of a host', () => {
    const { hosts } = hostUsage(['edge-1'], [reading({ at: 1, busySeconds: 0 }), before], [after, before], 1_010_000);
    expect(hosts[0]).toMatchObject({ windowSeconds: 10, cpuShare: 0.6 });
  });

  it('knows nothing of a host that was not read, in the order asked for', () => {
    const { hosts, problems } = hostUsage(['edge-2', 'edge-1'], [before], [after], 1_010_000);
    expect(hosts.map(({ host, cpuShare, memoryShare }) => [host, cpuShare, memoryShare])).toEqual([
      ['edge-2', null, null],
      ['edge-1', 0.6, 0.25],
    ]);
    expect(hosts[0]?.ageSeconds).toBeNull();
    expect(problems).toEqual(['edge-2: CPU and memory are not known: its node exporter was not read']);
  });

  it.each([
    ['there is no earlier reading', [], after],
    ['a counter went down: the host restarted', [before], { ...after, stealSeconds: 4 }],
    ['it had 2 CPUs and has 4', [before], { ...after, cpus: 4 }],
    ['nothing was counted', [before], { ...before, at: 1_010_000 }],
    ['the earlier reading is not earlier', [{ ...before, at: 1_010_000 }], after],
  ])('has memory but no CPU where %s', (words, earlier, later) => {
    const { hosts, problems } = hostUsage(['edge-1'], earlier, [later], 1_010_000);
    expect(hosts[0]).toMatchObject({ cpuShare: null, iowaitShare: null, stealShare: null, memoryShare: 0.25 });
    expect(problems).toEqual([expect.stringContaining(`edge-1: CPU is not known: ${words}`)]);
  });

  it('has CPU but no memory where the kernel does not tell what is available', () => {
    const { hosts, problems } = hostUsage(['edge-1'], [before], [{ ...after, memoryAvailableBytes: null }], 1_010_000);
    expect(hosts[0]).toMatchObject({ cpuShare: 0.6, memoryShare: null });
    expect(problems).toEqual(['edge-1: memory is not known: its node exporter does not tell it']);
  });

  it('has shares that sum to 1 with what was idle, or none', () => {
    const counters = fc.record({
      busySeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
      idleSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
      iowaitSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
      stealSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    });
    fc.assert(
      fc.property(counters, counters, (one, two) => {
        const { hosts, problems } = hostUsage(['edge-1'], [reading(one)], [{ ...after, ...two }], 1_010_000);
        const { cpuShare = null, iowaitShare = null, stealShare = null } = hosts[0] ?? {};
        if (cpuShare === null || iowaitShare === null || stealShare === null) return problems.length === 1;
        const sum = cpuShare + iowaitShare + stealShare;
        return Math.min(cpuShare, iowaitShare, stealShare) >= 0 && sum <= 1 + 1e-9;
      }),
      { seed: 7 },
    );
  });
});
