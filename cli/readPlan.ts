import { planProblems } from '../core/plan/planSchema.js';
import type { MeshPlan } from '../core/spec/plan.js';
import { ok, refused } from '../core/spec/problem.js';
import type { Result } from '../core/spec/problem.js';
import { readText } from './readText.js';

/** A `plan.json` that `psmg plan` wrote; every problem with its file. */
export async function readPlan(file: string): Promise<Result<MeshPlan>> {
  const text = await readText(file);
  return text.ok ? planFromText(text.value, file) : text;
}

export function planFromText(text: string, file: string): Result<MeshPlan> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused([{ code: 'json', file, field: '(document)', message }]);
  }
  const problems = planProblems(value);
  return problems.length > 0 ? refused(problems.map((one) => ({ ...one, file }))) : ok(value as MeshPlan);
}
