import type { NotifyInput, NotifyOutcome } from './contract.js';
import type { Activity } from './ports.js';

export const notify: Activity<NotifyInput, NotifyOutcome> = () => () =>
  Promise.resolve({ delivered: [], problems: [] });
