import type { Problem } from '../../spec/problem.js';
import type { LbPolicy } from '../../spec/settings.js';
import { fitQueue } from './calibrationFit.js';
import type { Seen } from './calibrationFit.js';
import type { PastDeployment } from './records/pastDeployment.js';

export interface StatedCapacity {
  concurrency: number;
  serviceTimeMs: number;
  startupSeconds: number;
  serviceTimeCv?: number;
}

/** How requests reached the instances when the records were made. */
export interface CalibrationContext {
  service: string;
  sloP99Ms: number;
  policy: LbPolicy;
  clientProxies: number;
}

export interface CalibratedCapacity {
  /** What to plan with: as stated, or what was seen where that is less capacity or a longer start. */
  capacity: StatedCapacity;
  /** What the records say by themselves; absent where they cannot tell. */
  seen: {
    serviceTimeMs?: number;
    concurrency?: number;
    startupSeconds?: number;
    /** Most that one instance was seen to answer, and within the SLO where latencies are known. */
    maxInstanceRps?: number;
  };
  /** 0–1: how far `seen` can be trusted. */
  confidence: number;
  reasons: readonly string[];
  warnings: readonly Problem[];
}

/** A contradiction of more than this is worth a word. */
const CONTRADICTION = 0.25;
/** Below, the stated capacity is planned with. */
const LEAST_CONFIDENCE = 0.5;

/**
 * Compares what is stated of a service with records of its past deployments. Less capacity or a longer start than
 * stated is taken over once the records can be trusted; more is only told, as they may hold what will not return.
 */
export function calibrateCapacity(
  stated: StatedCapacity,
  records: readonly PastDeployment[],
  context: CalibrationContext,
): CalibratedCapacity {
  const own = records.filter(({ service }) => service === context.service);
  if (own.length === 0) {
    return { capacity: stated, seen: {}, confidence: 0, reasons: ['no records of past deployments'], warnings: [] };
  }
  const start = startOf(own);
  const maxInstanceRps = mostOf(own, context.sloP99Ms);
  const queue = fitQueue(stated, context, own.flatMap(seenOf));
  const words = new Words(context.service);
  const capacity = { ...stated };
  if (start !== undefined) {
    words.compare('capacity.startupSeconds', 'startup', stated.startupSeconds, start, 's (90 % of the starts)');
    if (start > stated.startupSeconds) capacity.startupSeconds = start;
  }
  const statedRps = (stated.concurrency * 1000) / stated.serviceTimeMs;
  if (maxInstanceRps !== undefined && maxInstanceRps > statedRps)
    words.compare('capacity', 'most of one instance', statedRps, maxInstanceRps, 'rps');
  if (queue !== undefined) {
    const { serviceTimeMs, concurrency, confidence } = queue;
    const seenRps = (concurrency * 1000) / serviceTimeMs;
    words.compare('capacity.serviceTimeMs', 'service time', stated.serviceTimeMs, serviceTimeMs, 'ms');
    words.compare('capacity.concurrency', 'workers', stated.concurrency, concurrency, 'at a time');
    if (seenRps < statedRps && confidence >= LEAST_CONFIDENCE) {
      Object.assign(capacity, { serviceTimeMs, concurrency });
      words.say(`planned with ${number(seenRps)} rps a busy instance as seen, not ${number(statedRps)} as stated`);
    } else if (seenRps > statedRps) {
      words.say(`planned with ${number(statedRps)} rps a busy instance as stated; ${number(seenRps)} were seen`);
    }
  }
  return {
    capacity,
    seen: {
      ...(queue === undefined ? {} : { serviceTimeMs: queue.serviceTimeMs, concurrency: queue.concurrency }),
      ...(start === undefined ? {} : { startupSeconds: start }),
      ...(maxInstanceRps === undefined ? {} : { maxInstanceRps }),
    },
    confidence: queue?.confidence ?? 0,
    reasons: words.reasons,
    warnings: words.warnings,
  };
}

function startOf(records: readonly PastDeployment[]): number | undefined {
  const starts = records.flatMap(({ startupSeconds }) => (startupSeconds === undefined ? [] : [startupSeconds]));
  if (starts.length === 0) return undefined;
  starts.sort((a, b) => a - b);
  // The nearest rank: of a few starts the slowest counts.
  return starts[Math.ceil(0.9 * starts.length) - 1];
}

function mostOf(records: readonly PastDeployment[], sloP99Ms: number): number | undefined {
  const within = records.flatMap(({ p99Ms = 0, throughputRps, instances }) =>
    throughputRps === undefined || p99Ms > sloP99Ms ? [] : [throughputRps / instances],
  );
  return within.length === 0 ? undefined : Math.max(...within);
}

function seenOf({ instances, throughputRps, p99Ms }: PastDeployment): Seen[] {
  return p99Ms === undefined || throughputRps === undefined || throughputRps <= 0
    ? []
    : [{ instances, instanceRps: throughputRps / instances, p99Ms }];
}

class Words {
  readonly reasons: string[] = [];
  readonly warnings: Problem[] = [];
  private readonly service: string;

  constructor(service: string) {
    this.service = service;
  }

  say(reason: string): void {
    this.reasons.push(reason);
  }

  compare(field: string, what: string, stated: number, seen: number, unit: string): void {
    const text = `${what}: ${number(seen)} ${unit} seen, ${number(stated)} stated`;
    this.reasons.push(text);
    if (Math.abs(seen - stated) <= CONTRADICTION * stated) return;
    const message = `${this.service}: records of past deployments contradict what is stated: ${text}`;
    const fix = 'state what is true now, or remove records that no longer hold';
    this.warnings.push({ code: 'capacity-contradicted', field, message, fix });
  }
}

function number(value: number): number {
  return Number(value.toPrecision(3));
}
