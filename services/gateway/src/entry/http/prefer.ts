import { ManuelError } from '@manuel/contracts';

/** Seconds a client may ask to wait. */
export const longestWaitS = 30;

/** A comma inside quotes parts nothing; neither does one behind a quote that never ends. */
const preferences = /(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|$))+/g;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240); undefined when there is none. Throws `validation_failed` outside 1 to 30.
 * Other preferences are ignored, as the RFC wants it.
 */
export function waitFrom(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const preference of header.match(preferences) ?? []) {
    const [name = '', value = ''] = preference.split(';', 1)[0]?.split('=') ?? [];
    if (name.trim().toLowerCase() !== 'wait') continue;
    const text = value.trim().replace(/^"(.*)"$/, '$1');
    const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
    if (!(seconds >= 1 && seconds <= longestWaitS)) {
      throw new ManuelError('validation_failed', `Prefer: wait takes 1 to ${longestWaitS} seconds.`, {
        errors: [{ path: 'Prefer', message: `wait must be a whole number from 1 to ${longestWaitS}` }],
      });
    }
    return seconds;
  }
  return undefined;
}
