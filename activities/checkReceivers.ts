import type { ReceiversInput, ReceiversOutcome } from './contract.js';
import type { Activity } from './ports.js';

export const checkReceivers: Activity<ReceiversInput, ReceiversOutcome> = () => () =>
  Promise.resolve({ shortfalls: [] });
