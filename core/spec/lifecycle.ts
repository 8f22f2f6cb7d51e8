/** Phases and reasons: one closed vocabulary in status, search attributes, metrics, errors and pages. */

/** The life of a region in order; each is resumable and none that is done runs again. */
export type Step = 'forecast' | 'plan' | 'pre-deploy' | 'await-stack' | 'activate' | 'operate';

export type Phase =
  | 'accepting'
  | 'forecasting'
  | 'planning'
  /** A plan is made and nothing of it applied; only a person's approval takes the region further. */
  | 'previewing'
  | 'awaiting-approval'
  /** Waits for the fleet's word that this region may change now. */
  | 'awaiting-permit'
  | 'pre-deploying'
  | 'awaiting-stack'
  | 'activating'
  | 'operating'
  | 'draining'
  /** Users are elsewhere; the mesh stands by until `resume`, `release` or `retire`. */
  | 'drained'
  | 'releasing'
  | 'retiring'
  | 'blocked'
  | 'aborted'
  /** PSMG has gone; what it configured runs on. */
  | 'released'
  /** Users are elsewhere and deployment 0 is back. */
  | 'retired';

/** Closed list; one vocabulary in status, search attribute, metrics and pages. */
export type BlockedReason =
  | 'forecast-failed'
  | 'trust-none'
  | 'plan-refused'
  | 'plan-invalid'
  | 'approval-rejected'
  | 'approval-expired'
  | 'receivers-short'
  | 'drain-failed'
  | 'release-failed'
  | 'retire-failed'
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
