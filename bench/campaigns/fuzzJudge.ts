import type { Problem } from '../../core/spec/problem.js';
import type { Outcome } from './fuzzRun.js';

export function judgeResult(result: { ok: true } | { ok: false; problems: readonly Problem[] }): Outcome {
  if (result.ok) return { kind: 'answered' };
  return result.problems.length === 0 ? failed('refused without a problem') : judgeProblems(result.problems);
}

export function judgeProblems(problems: readonly Problem[]): Outcome {
  const mute = problems.find(({ code, field, message }) => code === '' || field === undefined || message === '');
  if (mute !== undefined) return failed(`a problem says nothing: ${JSON.stringify(mute)}`);
  return problems.length === 0 ? { kind: 'answered' } : { kind: 'refused' };
}

export function failed(why: string): Outcome {
  return { kind: 'failed', why };
}
