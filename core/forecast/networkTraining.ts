import { planFrom } from './ensemble/backTest.js';
import type { ServiceChoice } from './ensemble/choice.js';
import { recentMase } from './ensemble/choice.js';
import type { ServiceJob } from './ensemble/draft.js';
import { leadsOf } from './ensemble/draft.js';
import { onLocalClock } from './localJob.js';
import { needsRetraining } from './members/lstm/drift.js';
import type { LstmModel } from './members/lstm/model.js';
import type { LstmTraining } from './members/lstm/training.js';
import { heldBackFor } from './members/lstm/training.js';
import type { Regressor } from './members/members.js';
import { endMs } from './series.js';

/** Longest seasons that a region must have seen before a network is worth training. */
const LEAST_SEASONS = 4;

/**
 * What a region's network should be trained on next, and why; `null`: it is good, or there is too little to learn from.
 * Services as members see them: on the local clock, outliers pulled in, events taken out.
 */
export function networkTraining(
  jobs: readonly ServiceJob[],
  { choices, lstm }: { choices?: readonly ServiceChoice[]; lstm?: LstmModel },
): { input: LstmTraining; reason: string } | null {
  const [first] = jobs;
  if (first === undefined) return null;
  const { seasons } = first;
  const learnable = jobs.filter((job) => job.history.values.length >= LEAST_SEASONS * (seasons.at(-1) ?? 1));
  if (learnable.length === 0) return null;
  const reason = whyTrain(learnable, seasons, choices ?? [], lstm);
  if (reason === null) return null;
  const seen = learnable.map((job) => {
    const local = onLocalClock(job, leadsOf(job)).job;
    const history = local.trainable ?? local.history;
    const { quiet } = planFrom(history, history.values.length, 1, local);
    return { ...local, history: { ...history, values: quiet } };
  });
  return {
    reason,
    input: {
      series: seen.map(({ service, history, known }) => ({
        service,
        history,
        regressors: known.map(({ name, values }): Regressor => {
          const train = values.slice(0, history.values.length);
          return { name, train, future: [] };
        }),
      })),
      seasons,
      horizonSteps: first.horizonSteps,
      heldBackSteps: heldBackFor(
        seen.map(({ history }) => history),
        first.horizonSteps,
        seasons,
      ),
      seed: first.seed,
      ...(lstm === undefined ? {} : { warm: lstm }),
    },
  };
}

function whyTrain(
  jobs: readonly ServiceJob[],
  seasons: readonly number[],
  choices: readonly ServiceChoice[],
  lstm: LstmModel | undefined,
): string | null {
  if (lstm === undefined) return 'the region has no network yet';
  const errors = jobs.flatMap((job) => {
    const choice = choices.find((one) => one.service === job.service);
    const error = choice === undefined ? null : recentMase(choice, job.history, seasons);
    return error === null ? [] : [error];
  });
  const verdict = needsRetraining(lstm, errors, Math.max(...jobs.map((job) => endMs(job.history))));
  return verdict.needed ? verdict.reason : null;
}
