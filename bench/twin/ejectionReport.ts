import { markdownTable } from '../markdown.js';
import { CONSECUTIVE, ejectionsLast, failuresAfterReturn, mostEjected } from './ejections.js';

const HEALTH_MS = [500, 2000, 600_000];
const BASE_MS = 4000;
/** Instances and percents around the points at which one more is out. */
const PERCENTS: readonly (readonly [number, readonly number[]])[] = [
  [4, [0, 1, 24, 25, 26, 49, 50, 74, 75, 99, 100]],
  [3, [33, 34, 66, 67]],
  [1, [50, 100]],
];
const QUICK: typeof PERCENTS = [[4, [24, 25, 50]]];

/** What Envoy does with an instance that fails: how long it is out, and how many may be. */
export async function ejectionReport(quick: boolean): Promise<string> {
  const lasts = [['health check every', `out for, ms (base ${BASE_MS})`]];
  for (const healthMs of quick ? HEALTH_MS.slice(0, 1) : HEALTH_MS) {
    const times = await ejectionsLast({ healthMs, baseMs: BASE_MS }, quick ? 2 : 3);
    const every = healthMs >= 600_000 ? '10 minutes' : `${healthMs} ms`;
    lasts.push([every, times.map((ms) => ms.toFixed(0)).join(', ')]);
  }
  const most = [['instances, all failing', 'max_ejection_percent', 'out at most']];
  for (const [instances, percents] of quick ? QUICK : PERCENTS) {
    for (const percent of percents) {
      most.push([String(instances), String(percent), String(await mostEjected(instances, percent))]);
    }
  }
  const again = await failuresAfterReturn(CONSECUTIVE - 1);
  const forgets =
    `After ${CONSECUTIVE} failures in a row an instance is out; after its return it is out again after ${again}, ` +
    `with ${CONSECUTIVE - 1} more failed while it was out.`;
  return `**Outlier detection**, a failing instance whose health checks pass:\n\n${markdownTable(lasts)}\n\n${markdownTable(most)}\n\n${forgets}`;
}
