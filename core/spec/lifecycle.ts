/** Phases and reasons: one closed vocabulary in status, search attributes, metrics, errors and pages. */

/** The life of a region in order; each is resumable and none that is done runs again. */
export type Step = 'forecast' | 'plan' | 'pre-deploy' | 'await-stack' | 'activate' | 'operate';

export type Phase =
  | 'accepting'
  | 'forecasting'
  | 'planning'
  | 'pre-deploying'
  | 'awaiting-stack'
  | 'activating'
  | 'operating'
  | 'blocked'
  | 'aborted';

/** Closed list; one vocabulary in status, search attribute, metrics and pages. */
export type BlockedReason =
  | 'forecast-failed'
  | 'trust-none'
  | 'plan-refused'
  | 'plan-invalid'
  | 'deploy-failed'
  | 'drift'
  | 'target-held'
  | 'readback-mismatch'
  | 'hook-failed'
  | 'stack-not-ready'
  | 'activation-failed'
  | 'activation-inconclusive'
  | 'rollback-failed'
  | 'target-unreachable';
