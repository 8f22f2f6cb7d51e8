export { fleetCoordinator } from './fleet/workflow.js';
export { meshAdjustment } from './meshAdjustment/workflow.js';
export { regionLifecycle } from './regionLifecycle/workflow.js';
