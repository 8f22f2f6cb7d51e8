import { optimizer as stan } from '@bsull/augurs-prophet-wasmstan';
import type { ProphetInitialParams, ProphetOptimizeOptions, ProphetOptimizeOutput, ProphetStanData } from '@bsull/augurs/prophet';

type StanOptions = Parameters<typeof stan.optimize>[2];

/**
 * Stan's optimiser with the columns of the model in an order of their own. Prophet hands its features over in the
 * order of a randomly seeded hash map; the optimum is the same, but where the optimiser stops on the way to it is
 * not, and the same history would give another forecast every time.
 */
export const orderedOptimizer = {
  optimize(init: ProphetInitialParams, json: string, options: ProphetOptimizeOptions): ProphetOptimizeOutput {
    const data = JSON.parse(json) as ProphetStanData;
    const order = columnOrder(data);
    const given = { ...init, beta: Float64Array.from(order, (column) => init.beta[column] ?? 0) };
    const output = stan.optimize(given, JSON.stringify(reordered(data, order)), options as StanOptions);
    const beta = new Float64Array(order.length);
    for (const [place, column] of order.entries()) beta[column] = output.params.beta[place] ?? 0;
    return { ...output, params: { ...output.params, beta } };
  },
};

function columnOrder({ K, T, X, sigmas, s_a }: ProphetStanData): number[] {
  const at = (row: number, column: number): number => X[row * K + column] ?? 0;
  return Array.from({ length: K }, (_, column) => column).sort((a, b) => {
    const head = (sigmas[a] ?? 0) - (sigmas[b] ?? 0) || (s_a[a] ?? 0) - (s_a[b] ?? 0);
    if (head !== 0) return head;
    for (let row = 0; row < T; row++) {
      const difference = at(row, a) - at(row, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function reordered(data: ProphetStanData, order: readonly number[]): ProphetStanData {
  const pick = (values: readonly number[]): number[] => order.map((column) => values[column] ?? 0);
  const X: number[] = [];
  for (let row = 0; row < data.T; row++) for (const column of order) X.push(data.X[row * data.K + column] ?? 0);
  return { ...data, X, sigmas: pick(data.sigmas), s_a: pick(data.s_a), s_m: pick(data.s_m) };
}
