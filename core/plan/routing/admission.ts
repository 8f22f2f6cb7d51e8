import type { RoutingProblem, RoutingSolution } from './problem.js';

export interface Admission {
  entry: number;
  region: number;
  /** What one more request costs all services on its way. Currency. */
  price: number;
  value: number;
  /** Share let in, 0–1. */
  admit: number;
  refusedRps: number;
  reason: string;
}

/** A price this near the value is the value: at a share between 0 and 1 the two are equal up to the solver's gap. */
const EQUAL = 0.02;

/** What each route is let in at the edge, by entry and region: all whose value exceeds the prices along their graph. */
export function admission(
  problem: RoutingProblem,
  solution: Pick<RoutingSolution, 'requestPrice' | 'admitted'>,
): Admission[] {
  const R = problem.regions.length;
  return problem.entries.flatMap(({ service, rps, valuePerRequest: value }, entry) =>
    problem.regions.map((name, region) => {
      const price = solution.requestPrice[service * R + region] ?? 0;
      const admit = solution.admitted[entry * R + region] ?? 1;
      const refusedRps = (rps[region] ?? 0) * (1 - admit);
      const route = `${problem.services[service]?.name ?? ''} in ${name}`;
      return {
        entry,
        region,
        price,
        value,
        admit,
        refusedRps,
        reason: reasonFor({ route, price, value, admit, refusedRps }),
      };
    }),
  );
}

function reasonFor(input: { route: string; price: number; value: number; admit: number; refusedRps: number }): string {
  const { route, price, value, admit, refusedRps } = input;
  const worth = `a request of ${route} is worth ${short(value)}`;
  if (admit > 0.9995) return `${worth} and costs ${short(price)} on its way: all are let in`;
  const refused = `${refusedRps.toFixed(1)} rps are refused`;
  if (admit > 0.0005 || Math.abs(price / value - 1) < EQUAL) {
    return `${worth}, as much as the capacity that it needs: ${(100 * admit).toFixed(1)} % are let in, ${refused}`;
  }
  return `${worth} but would cost ${short(price)} on its way: none is let in, ${refused}`;
}

function short(amount: number): string {
  return amount === 0 ? '0' : amount.toPrecision(3);
}
