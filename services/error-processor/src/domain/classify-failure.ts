import type { ErrorCode } from '@manuel/contracts';
import type { Severity } from '@manuel/ledger';
import type { Failure } from './outside.ts';

/**
 * How much a failure concerns operators. Critical: ours to mend at once. High: an upstream or we failed a user. Medium: comes
 * with load or with others' systems. Low: what the user sent could not work.
 */
const severityOf: Record<ErrorCode, Severity> = {
  // In a worker these mean that AWS refused our own credentials or permissions.
  unauthenticated: 'critical',
  forbidden: 'critical',
  internal: 'high',
  upstream_failed: 'high',
  unavailable: 'high',
  timed_out: 'high',
  indexing_failed: 'high',
  transcription_failed: 'medium',
  expired: 'medium',
  rate_limited: 'medium',
  quota_exceeded: 'medium',
  queue_full: 'medium',
  too_many_jobs: 'medium',
  fetch_failed: 'low',
  fetch_refused: 'low',
  validation_failed: 'medium',
  not_found: 'low',
  method_not_allowed: 'low',
  conflict: 'low',
  idempotency_mismatch: 'low',
  idempotency_in_flight: 'low',
  payload_too_large: 'low',
  headers_too_large: 'low',
  request_timeout: 'low',
  unsupported_media_type: 'low',
  signature_invalid: 'low',
  ip_not_allowed: 'low',
  cancelled: 'low',
  upload_missing: 'low',
  upload_mismatch: 'low',
  audio_unreadable: 'low',
  audio_too_long: 'low',
  no_speech: 'low',
  document_unreadable: 'low',
  document_encrypted: 'low',
  document_without_text: 'low',
};

const worse: Record<Severity, Severity> = { low: 'medium', medium: 'high', high: 'critical', critical: 'critical' };

/** A delete that fails leaves data that its owner wanted gone: one step worse than the code says. */
export function classifyFailure(failure: Pick<Failure, 'code' | 'job'>): Severity {
  const severity = severityOf[failure.code];
  return failure.job === 'delete-manual' ? worse[severity] : severity;
}
