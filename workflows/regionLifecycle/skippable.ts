import type { Step } from '../../core/spec/lifecycle.js';

/** What may be passed over with a person's word; the rest would leave the region half made. */
export const SKIPPABLE: readonly Step[] = ['await-stack', 'activate'];
