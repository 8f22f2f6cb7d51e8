import { canonicalJson, sha256 } from './hash.js';
import type { Adjustment } from './live.js';
import type { Autonomy, AutonomyRule } from './region.js';

/** From what a person has to do all of to what a person has to do none of. */
const RANK: Readonly<Record<Autonomy, number>> = { observe: 0, suggest: 1, approve: 2, act: 3 };

/** Level of one setting: that of the last rule that fits, else `level`. A class is what stands before the first dot. */
export function autonomyOf(level: Autonomy, rules: readonly AutonomyRule[], service: string, field: string): Autonomy {
  const [settingClass] = field.split('.', 1);
  const fits = (rule: AutonomyRule): boolean =>
    (rule.service === undefined || rule.service === service) &&
    (rule.class === undefined || rule.class === settingClass);
  return rules.findLast(fits)?.level ?? level;
}

/** Whether `level` lets the program go as far as `least` does. */
export function goesAsFarAs(level: Autonomy, least: Autonomy): boolean {
  return RANK[level] >= RANK[least];
}

/** Twelve hex digits by which a person names a change that waits: the same change of the same plan has the same. */
export function proposalId({ address, from, to, planHash }: Omit<Adjustment, 'reason' | 'madeAt'>): string {
  return sha256(canonicalJson([address, from, to, planHash])).slice(0, 12);
}
