import { defineSearchAttributeKey } from '@temporalio/common';

/** Told by `temporal workflow describe` and by lists, with no worker running. */
export const SEARCH_ATTRIBUTES = {
  region: defineSearchAttributeKey('PsmgRegion', 'KEYWORD'),
  phase: defineSearchAttributeKey('PsmgPhase', 'KEYWORD'),
  blockedReason: defineSearchAttributeKey('PsmgBlockedReason', 'KEYWORD'),
} as const;
