import { getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import type { AuditKind } from '../../core/audit/record.js';
import type { AuditFact } from '../shared/audit.js';
import { nowMs } from '../shared/clock.js';
import { regionWorkflowId } from '../shared/names.js';
import type { MessageBase, MessageOutcome } from '../regionLifecycle/messages.js';
import type { FleetCommand, FleetMailbox } from './mailbox.js';
import type { EveryRegionMessage, FleetMessageName, PermitRequest, RolloutMessage } from './messages.js';
import { permitGrantedSignal, permitRefusedSignal } from './messages.js';
import { parseFleetReport, parseRequest, parseReturn } from './parse.js';
import type { RolloutState } from './rollout.js';
import { advance, beginStage, dueMs, isOpen, resumeRollout, stagesOf, takeBlock, takeOutcome } from './rollout.js';
import type { FleetState, KnownRegion, WaitingRequest } from './state.js';
import { MAX_REGIONS, grantsOf } from './state.js';

const AUDIT_KIND: Readonly<Record<FleetMessageName, AuditKind>> = {
  'freeze-all': 'frozen',
  'resume-all': 'resumed',
  rollout: 'replan-asked',
  'resume-rollout': 'retried',
  'abort-rollout': 'aborted',
};

/** Keeps the books of the fleet, and tells regions what follows from them. What regions say is entered at once. */
export class Coordinator {
  private readonly state: FleetState;
  private readonly mailbox: FleetMailbox;
  private readonly note: (fact: AuditFact) => void;
  /** Permits that their regions have not been told of. */
  private untold: WaitingRequest[] = [];
  private changed = true;

  constructor(state: FleetState, mailbox: FleetMailbox, note: (fact: AuditFact) => void) {
    this.state = state;
    this.mailbox = mailbox;
    this.note = note;
    mailbox.open(state, {
      'permit-request': (raw) => this.taking(parseRequest(raw), (request) => this.request(request)),
      'permit-returned': (raw) =>
        this.taking(parseReturn(raw), (report) => {
          this.drop(report.region, report.number);
          const { region, outcome, detail } = report;
          this.remember(region, outcome, detail);
          if (state.rollout !== null && report.what === 'replan') takeOutcome(state.rollout, report, nowMs());
          return null;
        }),
      'fleet-report': (raw) =>
        this.taking(parseFleetReport(raw), ({ region, state: told, detail }) => {
          this.remember(region, told, detail);
          if (state.rollout === null) return null;
          if (told === 'blocked') takeBlock(state.rollout, region, detail, nowMs());
          else takeOutcome(state.rollout, { region, outcome: 'failed', detail, startedMs: nowMs() }, nowMs());
          return null;
        }),
    });
  }

  hasWork(): boolean {
    return this.changed || this.mailbox.queue.length > 0;
  }

  dueMs(): number {
    const { accepted, freeze, granted, rollout } = this.state;
    const rolloutMs = freeze === null ? dueMs(rollout, accepted) : Infinity;
    return Math.min(rolloutMs, ...granted.map(({ expiresMs }) => expiresMs));
  }

  async step(): Promise<void> {
    this.changed = false;
    for (let next = this.mailbox.queue.shift(); next !== undefined; next = this.mailbox.queue.shift()) {
      const outcome = await this.carryOut(next);
      this.mailbox.finish(next.message.key, outcome);
      const { who, why } = next.message;
      this.note({ kind: AUDIT_KIND[next.name], who, why, subject: next.name, result: outcome.detail });
    }
    this.expire();
    await this.rollOut();
    await this.grant();
  }

  private taking<T>(
    parsed: { ok: true; message: T } | { ok: false; reason: string },
    take: (message: T) => string | null,
  ): string | null {
    this.changed = true;
    return parsed.ok ? take(parsed.message) : parsed.reason;
  }

  /** Asking again keeps the place in the line, also under a new number: the region began its change anew. */
  private request({ workflowId: _, ...request }: PermitRequest): string | null {
    const { state } = this;
    if (!Object.hasOwn(state.regions, request.region)) {
      if (Object.keys(state.regions).length >= MAX_REGIONS) return `a fleet has ${MAX_REGIONS} regions at most`;
      state.regions[request.region] = {};
    }
    const held = state.granted.find(({ region }) => region === request.region);
    if (held?.number === request.number && held.expiresMs > nowMs()) {
      this.untold.push(held);
      return null;
    }
    state.granted = state.granted.filter((permit) => permit !== held);
    const place = state.waiting.findIndex(({ region }) => region === request.region);
    const sinceMs = state.waiting[place]?.sinceMs ?? nowMs();
    if (place === -1) state.waiting.push({ ...request, sinceMs });
    else state.waiting[place] = { ...request, sinceMs };
    return null;
  }

  private drop(region: string, number: number): void {
    const { state } = this;
    const isAnother = (one: WaitingRequest): boolean => one.region !== region || one.number !== number;
    state.waiting = state.waiting.filter(isAnother);
    state.granted = state.granted.filter(isAnother);
  }

  private remember(region: string, outcome: NonNullable<KnownRegion['last']>['outcome'], detail: string): void {
    const known = Object.hasOwn(this.state.regions, region) ? this.state.regions[region] : undefined;
    if (known !== undefined) known.last = { outcome, detail: detail.slice(0, 100), atMs: nowMs() };
  }

  private expire(): void {
    const { state } = this;
    for (const { region, number, expiresMs } of state.granted) {
      if (expiresMs > nowMs()) continue;
      this.drop(region, number);
      this.remember(region, 'expired', `permit ${number} was not returned in time`);
    }
  }

  private async grant(): Promise<void> {
    const { state } = this;
    for (const request of grantsOf(state)) {
      const lastsMs = Math.min(request.permitMs ?? Infinity, state.accepted.permitMs);
      state.waiting = state.waiting.filter((one) => one !== request);
      const permit = { ...request, expiresMs: nowMs() + lastsMs };
      state.granted.push(permit);
      this.untold.push(permit);
      const { region, number } = permit;
      const until = new Date(permit.expiresMs).toISOString();
      this.note({ kind: 'permit', why: `${region} asked to ${request.what}`, subject: region, to: { number, until } });
    }
    const told = this.untold.splice(0);
    await Promise.all(told.map(({ region, number }) => this.tellPermit(region, number)));
  }

  private async tellPermit(region: string, number: number): Promise<void> {
    const permit = this.state.granted.find((one) => one.region === region && one.number === number);
    if (permit === undefined) return;
    const { expiresMs } = permit;
    const problem = await reach(region, (handle) => handle.signal(permitGrantedSignal, { number, expiresMs }));
    if (problem === null) return;
    this.drop(region, number);
    this.remember(region, 'unreachable', problem);
    this.changed = true;
  }

  private async rollOut(): Promise<void> {
    const { accepted, freeze, rollout } = this.state;
    if (rollout === null || freeze !== null) return;
    const { attempt, key, who, why } = rollout;
    const message = { key: `fleet/${key}/${attempt}`, who, why: `rollout ${key}: ${why}` };
    const asked = advance(rollout, nowMs(), accepted);
    await Promise.all(
      asked.map(async (region) => {
        const problem = await reach(region, (handle) => handle.signal('replan', message));
        if (problem === null) return;
        takeOutcome(rollout, { region, outcome: 'failed', detail: problem, startedMs: nowMs() }, nowMs());
        this.changed = true;
      }),
    );
  }

  private async carryOut(command: FleetCommand): Promise<MessageOutcome> {
    switch (command.name) {
      case 'freeze-all':
        return this.toAll('freeze', command.message);
      case 'resume-all':
        this.state.freeze = null;
        return this.toAll('resume', command.message);
      case 'rollout':
        return this.beginRollout(command.message);
      case 'resume-rollout':
        return this.withStopped((rollout) => resumeRollout(rollout));
      case 'abort-rollout':
        return this.abortRollout(command.message);
    }
  }

  private async toAll(name: 'freeze' | 'resume', message: EveryRegionMessage): Promise<MessageOutcome> {
    const { except = [], key, who, why } = message;
    const regions = Object.keys(this.state.regions).filter((region) => !except.includes(region));
    const sent = { key: `fleet/${key}`, who, why: `fleet-wide: ${why}` };
    const problems = await Promise.all(regions.map((region) => reach(region, (handle) => handle.signal(name, sent))));
    const missed = regions.filter((_, index) => problems[index] !== null);
    const told = regions.filter((region) => !missed.includes(region)).join(', ') || 'no region';
    const not = missed.length === 0 ? '' : `; not reached: ${missed.join(', ')}`;
    return { accepted: true, detail: `${name} sent to ${told}${not}`.slice(0, 1000) };
  }

  private beginRollout({ key, regions, who, why }: RolloutMessage): MessageOutcome {
    const { state } = this;
    if (state.freeze !== null) return refused(`frozen by ${state.freeze.who}: resume-all first`);
    if (isOpen(state.rollout)) return refused(`rollout ${state.rollout.key} is ${state.rollout.state}: it ends first`);
    const wanted = regions ?? Object.keys(state.regions);
    const chosen = wanted.flatMap((name) => {
      if (Object.hasOwn(state.regions, name)) return [name];
      return Object.keys(state.regions).filter((region) => state.regions[region]?.group === name);
    });
    const order = [...new Set(chosen)];
    if (order.length === 0) return refused('no region is known: name them in the fleet file');
    const waiting = order.map((region) => [region, { state: 'waiting', atMs: nowMs(), detail: '' }] as const);
    const rollout: RolloutState = {
      ...{ key, who, why, state: 'running', stage: 0, judgeUntilMs: null, attempt: 1, detail: '' },
      stages: stagesOf(order, state.accepted.stages),
      regions: Object.fromEntries(waiting),
    };
    beginStage(rollout, 0);
    state.rollout = rollout;
    return { accepted: true, detail: `${rollout.detail}; status tells what comes of it` };
  }

  private withStopped(act: (rollout: RolloutState) => void): MessageOutcome {
    const { rollout } = this.state;
    if (rollout?.state !== 'stopped')
      return refused(`no rollout is stopped${rollout === null ? '' : `: ${rollout.detail}`}`);
    act(rollout);
    return { accepted: true, detail: rollout.detail };
  }

  /** Regions that were asked and have not begun are told not to; what has begun ends as it ends. */
  private async abortRollout({ who, why }: MessageBase): Promise<MessageOutcome> {
    const { rollout, waiting } = this.state;
    if (!isOpen(rollout)) return refused('no rollout is under way');
    rollout.state = 'aborted';
    rollout.judgeUntilMs = null;
    rollout.detail = `aborted by ${who}: ${why}`;
    const moot = waiting.filter(({ region, what }) => what === 'replan' && rollout.regions[region]?.state === 'asked');
    for (const { number, region } of moot) {
      this.drop(region, number);
      await reach(region, (handle) => handle.signal(permitRefusedSignal, { number, why: rollout.detail }));
    }
    return { accepted: true, detail: rollout.detail };
  }
}

type Handle = ReturnType<typeof getExternalWorkflowHandle>;

/** `null`: the region's workflow has the message. Otherwise why not, in words. */
async function reach(region: string, send: (handle: Handle) => Promise<void>): Promise<string | null> {
  try {
    await send(getExternalWorkflowHandle(regionWorkflowId(region)));
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `${regionWorkflowId(region)} is not running`;
  }
}

function refused(detail: string): MessageOutcome {
  return { accepted: false, detail };
}
