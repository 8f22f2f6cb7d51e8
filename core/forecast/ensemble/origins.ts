export interface OriginPlan {
  /** Indexes into the series: what lies before is known, what lies behind is asked. Oldest first. */
  origins: readonly number[];
  /** Steps ahead that the back-test asks for; at most the horizon. */
  horizonSteps: number;
}

const MOST_ORIGINS = 5;
const LEAST_ORIGINS = 3;

/**
 * Where a rolling-origin back-test starts from: five origins where the history allows, three at least, each with
 * the longest season twice behind it if possible. Origins closer than a third of their horizon would count one
 * piece of evidence several times, so then fewer or shorter ones are taken. `null`: too little history for any.
 */
export function planOrigins(steps: number, horizonSteps: number, seasons: readonly number[]): OriginPlan | null {
  const shortest = seasons[0] ?? 1;
  const longest = seasons.findLast((season) => season * 2 <= steps) ?? shortest;
  const horizons = [
    Math.min(horizonSteps, longest),
    Math.min(horizonSteps, shortest),
    Math.min(horizonSteps, Math.ceil(shortest / 2)),
  ];
  for (const minTrain of [2 * longest, longest + shortest, 2 * shortest, shortest]) {
    for (const horizon of horizons) {
      for (let count = MOST_ORIGINS; count >= LEAST_ORIGINS; count--) {
        const room = Math.floor((steps - minTrain - horizon) / (count - 1));
        // Recent origins say most; spread over a week at least, so that no single day decides.
        const stride = Math.min(room, Math.max(horizon, Math.ceil(longest / count) + 1));
        if (stride < Math.max(1, Math.ceil(horizon / 3))) continue;
        const origins = Array.from({ length: count }, (_, index) => steps - horizon - (count - 1 - index) * stride);
        return { origins, horizonSteps: horizon };
      }
    }
  }
  return null;
}
