import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of one request or job bears, carried through awaits. */
export interface LogContext {
  readonly request_id?: string;
  readonly job_id?: string;
  readonly user_id?: string;
  readonly operation?: string;
  readonly traceparent?: string;
}

const storage = new AsyncLocalStorage<LogContext>();

/** Runs `work`; its log lines bear `context` on top of what is already there. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, work);
}

export const currentLogContext = (): LogContext => storage.getStore() ?? {};
