import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';

/** What is new in a status since the one before, each a line for a person who watches. */
export function regionNews(before: RegionStatus | null, now: RegionStatus): string[] {
  const news: string[] = [];
  if (before?.phase !== now.phase) news.push(`phase ${now.phase}`);
  if (before?.forecast === null || before === null) news.push(...forecastNews(now));
  if (before?.plan === null || before === null) news.push(...planNews(now));
  if ((before?.preDeployment ?? null) === null && now.preDeployment !== null) news.push(...deploymentNews(now));
  if ((before?.stack ?? null) === null && now.stack !== null) {
    news.push(`stack is up: ${counts(now.stack.readyInstances)} ready at ${now.stack.allReadyAt}`);
  }
  if (before?.entryMoved !== now.entryMoved && (before !== null || now.entryMoved)) {
    news.push(now.entryMoved ? `users now enter through ${now.region}` : 'users enter through the neighbour again');
  }
  news.push(...activationNews(before, now));
  if (now.blocked !== null && before?.blocked?.since !== now.blocked.since) {
    news.push(`BLOCKED ${now.blocked.reason} at ${now.blocked.step}: ${now.blocked.detail}`);
  }
  if (now.window !== undefined && before?.window !== now.window) {
    const place = (now.plan?.windows?.indexOf(now.window) ?? -1) + 1;
    news.push(
      `window ${place} of ${now.plan?.windows?.length ?? 0} of the plan is in force, for demand from ${now.window}`,
    );
  }
  if (now.replan !== undefined && before?.replan?.at !== now.replan.at) {
    news.push(`planned anew (${now.replan.by}): ${now.replan.state}, ${now.replan.detail}`);
  }
  if (now.freeze !== null && before?.freeze?.since !== now.freeze.since) {
    news.push(`frozen by ${now.freeze.who}: ${now.freeze.why}`);
  }
  if (before !== null && before.freeze !== null && now.freeze === null) news.push('resumed');
  for (const o of now.overrides) {
    const known = before?.overrides.some((b) => b.address === o.address && b.value === o.value);
    if (known !== true) news.push(`override ${o.address} = ${o.value} by ${o.who}: ${o.why}`);
  }
  for (const refused of now.refused.last.slice(before === null ? 0 : newRefusals(before, now))) {
    news.push(`refused ${refused.name}: ${refused.reason}`);
  }
  return news;
}

/** What the adjustment has done since. */
export function adjustmentNews(before: AdjustmentStatus | null, now: AdjustmentStatus): string[] {
  const news: string[] = [];
  // A reverted adjustment brings back the one before it, which is no news.
  const newest = [...now.adjustments].sort((a, b) => (a.madeAt < b.madeAt ? 1 : -1));
  for (const a of newest.slice(0, Math.max(0, now.adjustmentsMade - (before?.adjustmentsMade ?? 0))))
    news.push(`adjusted ${a.address} ${a.from} → ${a.to}: ${a.reason}`);
  if ((before?.adjustmentsReverted ?? 0) < now.adjustmentsReverted) news.push('an adjustment was reverted');
  if (now.ticks !== (before?.ticks ?? 0) && now.lastTick !== null) {
    const { decision, completeness } = now.lastTick;
    const words = decision.kind === 'adjust' ? 'adjusts' : `${decision.kind}: ${decision.reason}`;
    news.push(`tick ${now.ticks} (${Math.round(completeness * 100)} % of the proxies): ${words}`);
  }
  if (now.problem !== null && before?.problem?.detail !== now.problem.detail) {
    news.push(`PROBLEM ${now.problem.reason}: ${now.problem.detail}`);
  }
  return news;
}

function newRefusals(before: RegionStatus, now: RegionStatus): number {
  const fresh = now.refused.total - before.refused.total;
  return fresh === 0 ? now.refused.last.length : -fresh;
}

function forecastNews(now: RegionStatus): string[] {
  if (now.forecast === null) return [];
  return now.forecast.services.map((s) => {
    const models = s.models.map(({ name, weight }) => `${name} ${weight.toFixed(2)}`).join(' + ');
    return `forecast ${s.service}: peak ${s.peakRps.toFixed(1)} rps by ${models}; trust ${s.trust}: ${s.trustReason}`;
  });
}

function planNews(now: RegionStatus): string[] {
  if (now.plan === null) return [];
  const services = now.plan.services.map((s) => `plan ${s.service}: ${s.instances} instances: ${s.reason}`);
  return [...services, ...now.plan.warnings.map((warning) => `plan warning: ${warning}`)];
}

function deploymentNews(now: RegionStatus): string[] {
  const runs = now.preDeployment?.recaps ?? [];
  const recaps = runs.map((recap, i) => {
    const hosts = Object.entries(recap).map(
      ([host, r]) => `${host} ok=${r.ok} changed=${r.changed} failed=${r.failures}`,
    );
    return `playbook run ${i + 1}: ${hosts.join('; ')}`;
  });
  return [...recaps, `mesh ready at ${now.preDeployment?.meshReadyAt ?? ''}: every proxy reports the plan`];
}

function activationNews(before: RegionStatus | null, now: RegionStatus): string[] {
  const seen = new Set((before?.activation ?? []).map((a) => a.at));
  return now.activation
    .filter((a) => !seen.has(a.at))
    .flatMap((a) => {
      const stage = `activation ${a.localPercent} %${a.enforceLimits ? ', limits enforced' : ''}: ${a.verdict}`;
      return [stage, ...a.reason.split('; ').map((part) => `  ${part}`)];
    });
}

function counts(byName: Readonly<Record<string, number>>): string {
  return Object.entries(byName)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
