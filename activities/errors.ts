import type { BlockedReason } from '../core/spec/lifecycle.js';
import type { Problem } from '../core/spec/problem.js';
import { formatProblem } from '../core/spec/problem.js';

/** What a region file is refused with at its start. */
export type FailureReason = BlockedReason | 'invalid-region';

/**
 * A failure with a reason from the closed list. `lasting`: trying again without a change of the input or by a person
 * would fail the same way, so Temporal does not.
 */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly reason: FailureReason;
  readonly lasting: boolean;
  readonly problems: readonly Problem[];

  constructor(
    reason: FailureReason,
    message: string,
    options: { lasting?: boolean; problems?: readonly Problem[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.lasting = options.lasting ?? true;
    this.problems = options.problems ?? [];
  }
}

/** All problems in one text: a person mends them in one go. */
export function problemsText(what: string, problems: readonly Problem[]): string {
  const lines = problems.map((problem) => `- ${formatProblem(problem)}`);
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`${what}: ${count}`, ...lines].join('\n');
}

export function refuseAll(reason: FailureReason, what: string, problems: readonly Problem[]): StepFailure {
  return new StepFailure(reason, problemsText(what, problems), { problems });
}
