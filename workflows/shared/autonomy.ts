import type { Autonomy, AutonomyRule } from '../../core/spec/region.js';

/** A change that the adjustment may make once a person has approved it. */
export interface PendingChange {
  /** By which a person names it. */
  id: string;
  address: string;
  from: number;
  to: number;
  reason: string;
  planHash: string;
  askedAt: string;
  state: 'waits' | 'approved' | 'rejected';
  /** Who gave the newest word; `null`: nobody yet. */
  who: string | null;
  /** Ticks for which it still stands though the policy wants it no more. */
  ticksLeft: number;
}

/** A person's word on one of them. */
export interface ChangeAnswer {
  id: string;
  answer: 'approved' | 'rejected';
  who: string;
  /** Of a change that is asked for again later it says nothing. */
  at: string;
}

/** What the region tells the adjustment of autonomy, with every order. */
export interface AutonomyOrder {
  /** Exceptions from the autonomy of the region, the last that fits wins; absent: none. */
  autonomyRules?: readonly AutonomyRule[];
  /** A person has the region: nothing but observing and suggesting. */
  takenOver?: true;
  /** The newest last; absent: none. */
  answers?: readonly ChangeAnswer[];
}

/** Level of what concerns the region as a whole, such as the windows of its plan: rules for some of it do not count. */
export function wholeRegionLevel(level: Autonomy, rules: readonly AutonomyRule[] = []): Autonomy {
  return rules.findLast((rule) => rule.service === undefined && rule.class === undefined)?.level ?? level;
}

export function sameScope(a: AutonomyRule, b: AutonomyRule): boolean {
  return a.service === b.service && a.class === b.class;
}

/** Whether every setting that `inner` is about is one that `outer` is about, too. */
export function isWithin(inner: AutonomyRule, outer: AutonomyRule): boolean {
  return (
    (outer.service === undefined || outer.service === inner.service) &&
    (outer.class === undefined || outer.class === inner.class)
  );
}

export function ruleText({ level, service, class: settingClass }: AutonomyRule): string {
  return `${scopeText({ service, class: settingClass })}: ${level}`;
}

function scopeText(scope: { service?: string | undefined; class?: string | undefined }): string {
  return `${scope.class ?? 'every class'} of ${scope.service ?? 'every service'}`;
}
