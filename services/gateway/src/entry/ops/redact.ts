const hidden = '(redacted)';
const deepest = 8;

/** A copy without the values of the given fields, wherever they stand. */
export function redact(value: unknown, fields: ReadonlySet<string>, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return hidden;
  if (Array.isArray(value)) return value.map((item) => redact(item, fields, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fields.has(key) ? hidden : redact(item, fields, depth + 1)]),
  );
}
