/** Reads `Retry-After` (RFC 9110: seconds or an HTTP date) off the response that the SDK keeps on its errors. */
export function retryAfterOf(error: unknown, now = Date.now()): number | undefined {
  if (typeof error !== 'object' || error === null || !('$response' in error)) return undefined;
  const response = error.$response;
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const headers = response.headers;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after');
  return typeof found?.[1] === 'string' ? parseRetryAfter(found[1], now) : undefined;
}

/** Milliseconds to wait; undefined when the value is neither seconds nor a date. */
export function parseRetryAfter(value: string, now = Date.now()): number | undefined {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
