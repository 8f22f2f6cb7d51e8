import type { ActivityName } from './telemetry.js';
import { planHashOf, regionOfWorkflow } from './telemetry.js';
import type { ApplyInput, JudgeOutcome, RegionActivities, RestoreInput, WindowInput } from './contract.js';
import type { AuditBacklog } from '../adapters/audit/backlog.js';
import type { AuditKind, AuditValue, NewAuditEntry } from '../core/audit/record.js';
import { PROGRAM } from '../core/audit/record.js';

/** Which attempt of which activity acts, for whom. */
export interface ActInfo {
  workflowId: string;
  runId: string;
  activityId: string;
  attempt: number;
}

/** One attempt of an activity that acts, as it ended. */
export interface Act {
  name: string;
  input: unknown;
  outcome: { ok: true; output: unknown } | { ok: false; error: unknown };
}

/** What an act says besides who, when, where and of what. */
interface ActFact {
  kind: AuditKind;
  why: string;
  from?: AuditValue;
  to?: AuditValue;
  /** Absent: of the plan that the input names. */
  planHash?: string;
  result?: AuditValue;
}

type Inputs = { [N in ActivityName]: Parameters<RegionActivities[N]>[0] };
type Outputs = { [N in ActivityName]: Awaited<ReturnType<RegionActivities[N]>> };
type Mapping<N extends ActivityName> = {
  subject(input: Inputs[N]): string;
  /** What a completed attempt says; `null`: nothing was done. */
  done(input: Inputs[N], output: Outputs[N]): ActFact | null;
};

/**
 * The activities that act, and what they say of it. What workflows decide they note themselves; here is what whoever
 * acted saw: every attempt that failed too, and what was done though Temporal never learned of it.
 */
const MAPPINGS: { readonly [N in ActivityName]?: Mapping<N> } = {
  acceptRegion: {
    subject: () => 'region file',
    done: (_, { specRef, autonomy, services }) => ({
      kind: 'started',
      why: 'its region file was accepted',
      to: specRef.hash,
      result: { autonomy, services },
    }),
  },
  forecastRegion: {
    subject: () => 'forecast',
    done: (_, { ref, trust, services }) => ({
      kind: 'forecast',
      why: services.map(({ service, trustReason }) => `${service}: ${trustReason}`).join('; '),
      to: ref.hash,
      result: { trust, peakRps: Object.fromEntries(services.map(({ service, peakRps }) => [service, peakRps])) },
    }),
  },
  planRegion: {
    subject: () => 'plan',
    done: ({ forecastRef }, { plan, services, warnings }) => ({
      kind: 'planned',
      why: `from forecast ${forecastRef.hash.slice(0, 12)}`,
      to: plan.hash,
      planHash: plan.hash,
      result: {
        instances: Object.fromEntries(services.map(({ service, instances }) => [service, instances])),
        warnings: warnings.length,
      },
    }),
  },
  deployRelease: {
    subject: ({ deploymentId }) => `deployment ${deploymentId}`,
    done: (input, { releaseHash, recap, reattached }) => ({
      ...appliedFact(input, releaseHash),
      result: {
        reattached,
        hosts: Object.fromEntries(
          Object.entries(recap).map(([host, { changed, failures }]) => [host, { changed, failures }]),
        ),
      },
    }),
  },
  applyIntent: {
    subject: ({ epoch }) => `release of epoch ${epoch}`,
    done: (input, { releaseHash, hosts }) => ({
      ...appliedFact(input, releaseHash),
      result: Object.fromEntries(hosts.map(({ host, outcome }) => [host, outcome])),
    }),
  },
  restoreDeployment: {
    subject: ({ releaseHash }: RestoreInput) => `release ${releaseHash.slice(0, 12)}`,
    done: ({ epoch, expectedHash, releaseHash }, { hosts }) => ({
      kind: 'restored',
      why: `under epoch ${epoch}`,
      from: expectedHash,
      to: releaseHash,
      result: Object.fromEntries(hosts.map(({ host, outcome }) => [host, outcome])),
    }),
  },
  moveEntry: {
    subject: ({ phase }) => `entry: ${phase}`,
    done: ({ phase }, { called }) => ({
      kind: 'entry-moved',
      why: phase === 'activate' ? 'users enter here' : 'users go back',
      to: phase,
      result: called ? 'its owner was told' : 'no hook is declared',
    }),
  },
  exportTargets: {
    subject: ({ window }: WindowInput) => `instances of ${window ?? 'the first window'}`,
    // Without a hook nobody was asked for anything.
    done: (_, { called }) =>
      called ? { kind: 'targets-exported', why: 'the plan wants them ready', result: 'their owner was told' } : null,
  },
  judgeStage: {
    subject: ({ localPercent }) => `stage of ${localPercent} %`,
    done: (_, { verdict, reason, services }) => ({
      kind: 'judged',
      why: reason,
      result: { verdict, services: seen(services) },
    }),
  },
};

/** The activities whose attempts are recorded. */
export const ACTS = Object.keys(MAPPINGS) as readonly ActivityName[];

const MAX_TEXT = 1000;

/**
 * The entry for an attempt; `null`: it is none that acts, did nothing, or is of no region. An act that was done twice,
 * because nobody learned of it the first time, has one key: the first record stays.
 */
export function entryOfAct(act: Act, info: ActInfo, atMs: number): { region: string; entry: NewAuditEntry } | null {
  const region = regionOfWorkflow(info.workflowId);
  const mapping = MAPPINGS[act.name as ActivityName] as Mapping<ActivityName> | undefined;
  if (region === null || mapping === undefined) return null;
  const input = act.input as Inputs[ActivityName];
  const { outcome } = act;
  const fact = outcome.ok
    ? mapping.done(input, outcome.output as Outputs[ActivityName])
    : failedFact(act.name, outcome.error);
  if (fact === null) return null;
  const { runId, activityId, attempt, workflowId } = info;
  const { from = null, to = null, planHash = planHashOf(input), result = null } = fact;
  const entry: NewAuditEntry = {
    key: `${runId}/activity ${activityId}${outcome.ok ? '' : ` attempt ${attempt}`}`,
    at: new Date(atMs).toISOString(),
    kind: fact.kind,
    who: PROGRAM,
    why: fact.why.slice(0, MAX_TEXT),
    subject: mapping.subject(input).slice(0, MAX_TEXT),
    ...{ from, to, planHash, result, workflowId, runId },
  };
  return { region, entry };
}

/**
 * Activities that record each attempt to act before they answer. What the audit cannot take now waits in `backlog`: an
 * act stands, and its outcome reaches the workflow, whatever the audit does.
 */
export function withAudit(
  activities: RegionActivities,
  backlog: AuditBacklog,
  infoOf: () => ActInfo | null,
  now: () => number,
): RegionActivities {
  const record = async (act: Act): Promise<void> => {
    const info = infoOf();
    const made = info === null ? null : entryOfAct(act, info, now());
    if (made !== null) await backlog.append(made.region, made.entry);
  };
  const wrapped = ACTS.map((name) => {
    const work = activities[name] as (input: unknown) => Promise<unknown>;
    return [
      name,
      async (input: unknown): Promise<unknown> => {
        let output: unknown;
        try {
          output = await work(input);
        } catch (error) {
          await record({ name, input, outcome: { ok: false, error } });
          throw error;
        }
        await record({ name, input, outcome: { ok: true, output } });
        return output;
      },
    ];
  });
  return { ...activities, ...(Object.fromEntries(wrapped) as Partial<RegionActivities>) };
}

function appliedFact(input: ApplyInput, releaseHash: string): ActFact {
  const { stage, window, overrides, adjustments } = input.intent;
  const parts = [
    `stage of ${stage.localPercent} %${stage.enforceLimits ? ', limits enforced' : ''}`,
    ...(window === undefined ? [] : [`window from ${window}`]),
    ...overrides.map(({ address, value, who }) => `override ${address} = ${value} by ${who}`),
    ...adjustments.map(({ address, to }) => `adjustment ${address} = ${to}`),
  ];
  return { kind: 'applied', why: parts.join('; '), from: input.expectedHash, to: releaseHash };
}

function failedFact(name: string, error: unknown): ActFact {
  const type = (error as { type?: unknown } | null)?.type;
  const detail = (error instanceof Error ? error.message : String(error)).slice(0, MAX_TEXT);
  return {
    kind: 'failed',
    why: `${name} failed`,
    result: typeof type === 'string' ? { type, detail } : detail,
  };
}

function seen(services: JudgeOutcome['services']): AuditValue {
  return services.map(({ service, requests, errorRate, p99Ms }) => ({ service, requests, errorRate, p99Ms }));
}
