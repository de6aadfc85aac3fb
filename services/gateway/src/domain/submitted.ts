import type { Admission } from '@manuel/queues';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';
import type { Submitted } from './submission.ts';

/** An admission as the client hears of it. */
export function submittedOf(_outside: Outside, _caller: Caller, admission: Admission): Submitted {
  if (admission.kind === 'job') return { kind: 'job', view: admission.view, replayed: admission.replayed };
  throw new Error('no cache key was given, so no cached answer can come');
}
