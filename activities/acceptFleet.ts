import type { FleetRegion, RolloutStage } from '../core/spec/fleet.js';
import { parseFleet } from '../core/spec/parseFleet.js';
import type { Problem } from '../core/spec/problem.js';
import { problemsText } from './errors.js';
import type { Activity } from './ports.js';
import { textOf } from './textOf.js';

/** Everything of a fleet file that steers its coordinator. */
export interface AcceptedFleet {
  name: string;
  maxConcurrentChanges: number;
  permitMs: number;
  regions: readonly FleetRegion[];
  /** `null`: a region and what its file names as neighbours. */
  failover: readonly (readonly [string, string])[] | null;
  stages: readonly RolloutStage[];
  judgeMs: number;
  timeoutMs: number;
}

export interface RefusedFile {
  message: string;
  problems: readonly Problem[];
}

/** What the coordinator asks for, beside recording its audit. */
export interface FleetActivities {
  /** Reads a fleet file whole; what is wrong with it is an answer, so that the start fails with all of it. */
  acceptFleet(text: unknown): Promise<AcceptedFleet | RefusedFile>;
}

export const acceptFleet: Activity<unknown, AcceptedFleet | RefusedFile> = () => async (input) => {
  const text = textOf(input, 'fleet');
  if (typeof text !== 'string') return Promise.resolve(refusal([text]));
  const parsed = parseFleet(text, 'fleet file');
  if (!parsed.ok) return refusal(parsed.problems);
  const { name, maxConcurrentChanges, permitSeconds, regions = [], failover = null, rollout } = parsed.value;
  return {
    name,
    maxConcurrentChanges,
    permitMs: permitSeconds * 1000,
    regions,
    failover,
    stages: rollout.stages,
    judgeMs: rollout.judgeSeconds * 1000,
    timeoutMs: rollout.timeoutSeconds * 1000,
  };
};

function refusal(problems: readonly Problem[]): RefusedFile {
  return { message: problemsText('the fleet file is refused', problems), problems };
}
