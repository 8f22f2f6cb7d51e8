import type { LiveService } from '../../core/spec/live.js';
import { Because } from '../document.js';
import type { Tree } from '../document.js';
import { TYPES, rateLimitStat } from './names.js';

/** Tokens are whole and intervals are not: about a second, so stretched that the rate is exact. */
export function tokenBucket(rps: number, burst: number, reasons: { rps?: string; burst?: string }): Tree {
  const tokens = Math.max(1, Math.round(rps));
  return {
    max_tokens: new Because(burst, reasons.burst),
    tokens_per_fill: new Because(tokens, reasons.rps),
    fill_interval: `${Number((tokens / rps).toFixed(9))}s`,
  };
}

export function percent(numerator: Tree): Tree {
  return { default_value: { numerator, denominator: 'HUNDRED' } };
}

export interface Bucket {
  rps: number;
  burst: number;
}

/** A service's limit at one proxy. */
export function bucketOf({ settings }: LiveService): Bucket {
  return { rps: settings['rateLimit.rps'], burst: settings['rateLimit.burst'] };
}

/** The filter's configuration: what is beyond the bucket is counted, and refused as far as the limit is enforced. */
export function rateLimit(service: LiveService, { rps, burst }: Bucket): { [key: string]: Tree } {
  const { settings, reasons } = service;
  const why = { rps: reasons['rateLimit.rps'] ?? '', burst: reasons['rateLimit.burst'] ?? '' };
  const enforced = new Because(settings['rateLimit.enforcedPercent'], reasons['rateLimit.enforcedPercent']);
  return {
    '@type': TYPES.rateLimit,
    stat_prefix: rateLimitStat(service.service),
    token_bucket: tokenBucket(rps, burst, why),
    filter_enabled: percent(100),
    filter_enforced: percent(enforced),
  };
}

/** What one instance takes of repeated requests. */
export function repeatBucket({ settings, reasons }: LiveService): Tree {
  const rps = settings['inbound.retryRps'];
  const reason = reasons['inbound.retryRps'];
  return tokenBucket(rps, Math.max(1, Math.ceil(rps)), reason === undefined ? {} : { rps: reason });
}
