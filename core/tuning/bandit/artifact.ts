import { z } from 'zod';

import type { Problem, Result } from '../../spec/problem.js';
import { ok, refused } from '../../spec/problem.js';
import { FAMILIES, factorOf } from './coefficients.js';
import type { Family } from './coefficients.js';
import { DIMENSION } from './context.js';
import { TRIANGLE } from './posterior.js';
import type { TunerState } from './state.js';

/** Largest artifact: a workflow's history carries a reference, its store this. */
export const MOST_BYTES = 16 * 1024;
/** Services that may stand away from the plan at a time. */
const MOST_RUNGS = 64;

const triangle = z.array(z.number()).length(TRIANGLE);
const posterior = z.strictObject({
  precision: triangle,
  weighted: z.array(z.number()).length(DIMENSION),
  trials: z.int().min(0),
});
/** No class of service has a longer ladder. */
function rung(family: Family): z.ZodType<number> {
  const far = (n: number): boolean =>
    (['critical', 'normal', 'sheddable'] as const).some((kind) => factorOf(family, kind, n) !== null);
  return z.int().refine(far, { error: `no rung of ${family}` });
}
const schema = z.strictObject({
  version: z.literal(1),
  planHash: z.string().max(128),
  generator: z.int().min(-2_147_483_648).max(2_147_483_647),
  posteriors: z.strictObject(byFamily(() => posterior)),
  ledger: z.strictObject({ incumbent: z.number(), difference: z.number() }),
  rungs: z
    .record(z.string().max(63), z.strictObject(byFamily(rung)))
    .refine((rungs) => Object.keys(rungs).length <= MOST_RUNGS, { error: `more than ${MOST_RUNGS} services` }),
});

function byFamily<T>(make: (family: Family) => T): Record<Family, T> {
  return Object.fromEntries(FAMILIES.map((family) => [family, make(family)])) as Record<Family, T>;
}

/** The artifact's bytes: the same state gives the same ones. Refused where they would be more than `MOST_BYTES`. */
export function writeState(state: TunerState): Result<string> {
  const text = JSON.stringify({
    version: state.version,
    planHash: state.planHash,
    generator: state.generator,
    posteriors: byFamily((family) => state.posteriors[family]),
    ledger: state.ledger,
    rungs: Object.fromEntries(Object.entries(state.rungs).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  const parsed = readState(text);
  return parsed.ok ? ok(text) : parsed;
}

/** What `writeState` wrote. An unknown version and anything that is not of the schema is refused, in words. */
export function readState(text: string): Result<TunerState> {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) return refused([problem('', `${bytes} bytes, ${MOST_BYTES} at most`)]);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refused([problem('', 'the tuner state is no JSON')]);
  }
  const version = (document as { version?: unknown } | null)?.version;
  if (version !== 1) {
    const named = version === undefined ? 'no version' : `version ${JSON.stringify(version)}`;
    return refused([
      {
        ...problem('version', `the tuner state has ${named}, and this program reads version 1`),
        fix: 'run the release that wrote it, or start the tuner without a state: it learns again',
      },
    ]);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return ok(parsed.data as TunerState);
  return refused(parsed.error.issues.map((one) => problem(one.path.join('.'), one.message)));
}

function problem(field: string, message: string): Problem {
  return { code: 'tuner-state', field, message };
}
