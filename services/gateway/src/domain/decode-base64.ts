import { ManuelError } from '@manuel/contracts';

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The bytes of a base64 text (RFC 4648, padded; line breaks are allowed, as MIME writes them). Node's own decoder skips what
 * it does not know, so this looks first. Throws `validation_failed` that names the field.
 */
export function decodeBase64(text: string, field: string): Buffer {
  const compact = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, '') : text;
  if (compact.length === 0) throw invalid(field, 'is empty');
  if (compact.length % 4 !== 0 || !alphabet.test(compact)) throw invalid(field, 'is not base64');
  return Buffer.from(compact, 'base64');
}

const invalid = (field: string, message: string): ManuelError =>
  new ManuelError('validation_failed', `${field} ${message}.`, { errors: [{ path: field, message }] });
