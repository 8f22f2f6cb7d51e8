import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import type { RunMeasures } from './measures.js';
import { measureRun } from './run.js';
import type { Measure } from './run.js';

interface Kept {
  key: string;
  measures: RunMeasures;
}

/** Looks runs up in a file of lines of JSON, and adds those that are not there. `fresh`: policies that always run. */
export function keptMeasure(file: string, { fresh, size }: { fresh: readonly string[]; size: string }): Measure {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const kept = new Map(
    lines
      .filter((line) => line !== '')
      .map((line) => {
        const { key, measures } = JSON.parse(line) as Kept;
        return [key, measures] as const;
      }),
  );
  return (scenario, policy, params, seed) => {
    const { group, name, surge } = scenario;
    const key = JSON.stringify([size, group, name, surge, policy.name, params, seed]);
    const known = fresh.includes(policy.name) ? undefined : kept.get(key);
    if (known !== undefined) return known;
    const measures = measureRun(scenario, policy, params, seed);
    if (!fresh.includes(policy.name)) {
      kept.set(key, measures);
      appendFileSync(file, `${JSON.stringify({ key, measures })}\n`);
    }
    return measures;
  };
}
