import { type Envelope, type JobName, ManuelError, jobs } from '@manuel/contracts';
import type { StartVerdict } from './start-job.ts';

/** The result as its schema has it, with the owner's usage where that belongs to it. */
export async function resultOf(
  name: JobName,
  result: object,
  charged: boolean,
  envelope: Envelope,
  verdict: Extract<StartVerdict, { kind: 'run' }>,
): Promise<Record<string, unknown>> {
  const schema = jobs[name].result;
  let whole: object = result;
  if ('usage' in schema.shape) {
    const usage = await verdict.usage();
    // The job's own reservation is among the used; it is given back when the job turns out to be free.
    const own = !charged && envelope.free !== true && jobs[name].usage !== null ? 1 : 0;
    whole = {
      ...result,
      usage: {
        ...usage,
        daily_used: Math.max(0, usage.daily_used - own),
        monthly_used: Math.max(0, usage.monthly_used - own),
      },
    };
  }
  const parsed = schema.safeParse(whole);
  if (parsed.success) return parsed.data;
  throw new ManuelError('internal', `The ${name} job gave a result that is not valid.`, {
    cause: parsed.error,
    retryable: false,
  });
}
