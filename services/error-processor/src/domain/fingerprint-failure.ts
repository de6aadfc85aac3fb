import { createHash } from 'node:crypto';
import type { Failure } from './outside.ts';

/** What differs from one failure to the next of the same kind, longest forms first. */
const particulars: readonly (readonly [RegExp, string])[] = [
  [/https?:\/\/\S+/g, '<url>'],
  [/\barn:\S+/g, '<arn>'],
  [/"[^"]*"|'[^']*'|“[^”]*”/g, '<text>'],
  [/\b[a-z-]+_[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b[0-9a-f]{16,}\b/gi, '<hex>'],
  [/(?:\/[\w.@-]+){2,}/g, '<path>'],
  [/\d+(?:[.,:]\d+)*/g, '<n>'],
  [/\s+/g, ' '],
];

/** The reason without ids, numbers, paths and quoted text. */
export function normaliseReason(reason: string): string {
  return particulars
    .reduce((text, [pattern, name]) => text.replace(pattern, name), reason)
    .trim()
    .toLowerCase()
    .slice(0, 300);
}

/** Names a kind of failure: the same job, code and reason give the same 16 hex digits. */
export function fingerprintFailure(failure: Pick<Failure, 'job' | 'code' | 'reason'>): string {
  return createHash('sha256')
    .update([failure.job, failure.code, normaliseReason(failure.reason)].join('\n'))
    .digest('hex')
    .slice(0, 16);
}
