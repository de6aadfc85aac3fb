export { createAdmitter } from './admitter.ts';
export { compareEventIds, isEventId } from './event-id.ts';
export { createEventHub } from './event-hub.ts';
export { createJanitor } from './janitor.ts';
export { createQueueInspector } from './inspector.ts';
export { toJobView } from './to-job-view.ts';
export type * from './types.ts';
export { runWorker } from './worker/run-worker.ts';
