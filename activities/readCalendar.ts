import type { CalendarOutcome } from './contract.js';
import type { Activity } from './ports.js';
import type { ArtifactRef } from '../core/spec/artifact.js';

export const readCalendar: Activity<{ specRef: ArtifactRef; fromMs: number }, CalendarOutcome> =
  () =>
  ({ fromMs }) =>
    Promise.resolve({ freezes: [], untilMs: fromMs });
