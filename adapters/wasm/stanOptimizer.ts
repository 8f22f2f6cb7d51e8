import type { optimizer } from '@bsull/augurs-prophet-wasmstan';
import type { ProphetInitialParams, ProphetOptimizeOptions, ProphetOptimizeOutput } from '@bsull/augurs/prophet';

export type Stan = typeof optimizer;
type StanOptions = Parameters<Stan['optimize']>[2];

export interface OrderedOptimizer {
  optimize(init: ProphetInitialParams, json: string, options: ProphetOptimizeOptions): ProphetOptimizeOutput;
}

/** What is permuted of the data that Prophet hands to Stan. The package's own type has X flat; it is a list of rows. */
interface Columns {
  K: number;
  X: number[][];
  sigmas: number[];
  s_a: number[];
  s_m: number[];
}

/**
 * Stan's optimiser with the columns of the model in an order of their own. Prophet hands its features over in the
 * order of a randomly seeded hash map; the optimum is the same, but where the optimiser stops on the way to it is
 * not, and the same history would give another forecast every time.
 */
export function orderedOptimizer(stan: Stan): OrderedOptimizer {
  return {
    optimize(init, json, options): ProphetOptimizeOutput {
      const data = JSON.parse(json) as Columns;
      const order = columnOrder(data);
      const given = { ...init, beta: Float64Array.from(order, (column) => init.beta[column] ?? 0) };
      const output = stan.optimize(given, JSON.stringify(reordered(data, order)), options as StanOptions);
      const beta = new Float64Array(order.length);
      for (const [place, column] of order.entries()) beta[column] = output.params.beta[place] ?? 0;
      return { ...output, params: { ...output.params, beta } };
    },
  };
}

function columnOrder({ K, X, sigmas, s_a }: Columns): number[] {
  return Array.from({ length: K }, (_, column) => column).sort((a, b) => {
    const head = (sigmas[a] ?? 0) - (sigmas[b] ?? 0) || (s_a[a] ?? 0) - (s_a[b] ?? 0);
    if (head !== 0) return head;
    for (const row of X) {
      const difference = (row[a] ?? 0) - (row[b] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function reordered(data: Columns, order: readonly number[]): Columns {
  const pick = (values: readonly number[]): number[] => order.map((column) => values[column] ?? 0);
  return { ...data, X: data.X.map(pick), sigmas: pick(data.sigmas), s_a: pick(data.s_a), s_m: pick(data.s_m) };
}
