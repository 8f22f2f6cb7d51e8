import { acceptFleet } from './acceptFleet.js';
import { acceptRegion } from './acceptRegion.js';
import { applyIntent, readBack, readTargets, restoreDeployment } from './applyIntent.js';
import { awaitStack, exportTargets, moveEntry } from './awaitStack.js';
import { checkReceivers } from './checkReceivers.js';
import { deployRelease } from './deployRelease.js';
import { forecastRegion } from './forecastRegion.js';
import { judgeStage } from './judgeStage.js';
import { notify } from './notify.js';
import { planRegion } from './planRegion.js';
import { readCalendar } from './readCalendar.js';
import { recordAudit } from './recordAudit.js';
import { tick } from './tick.js';

/** Every activity that a workflow can ask for, as plain functions of the ports. */
export const ACTIVITIES = {
  acceptFleet,
  acceptRegion,
  forecastRegion,
  planRegion,
  deployRelease,
  applyIntent,
  readBack,
  readTargets,
  exportTargets,
  awaitStack,
  moveEntry,
  judgeStage,
  restoreDeployment,
  tick,
  recordAudit,
  readCalendar,
  checkReceivers,
  notify,
};
