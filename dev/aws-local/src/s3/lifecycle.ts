import { randomUUID } from 'node:crypto';
import { AwsError } from '../service.ts';
import { element } from '../xml.ts';
import { field, malformed, readXml, text } from './read-xml.ts';

/** One rule of a bucket's lifecycle. Days are whole and at least 1. */
export interface LifecycleRule {
  readonly id: string;
  /** Empty: the whole bucket. */
  readonly prefix: string;
  readonly enabled: boolean;
  readonly expireDays?: number;
  /** Kept and told again; here are neither unfinished multipart uploads nor older versions. */
  readonly abortMultipartDays?: number;
  readonly noncurrentDays?: number;
}

const dayMs = 86_400_000;
const maxRules = 1000;
const maxIdLength = 255;
/** What S3 knows and this store does not. */
const notServed = ['Transition', 'NoncurrentVersionTransition'];

/** Reads the body of PutBucketLifecycleConfiguration. Throws MalformedXML, InvalidArgument, InvalidRequest, NotImplemented. */
export function readLifecycle(body: Buffer): LifecycleRule[] {
  const rules = field(readXml(body, 'LifecycleConfiguration'), 'Rule');
  if (!Array.isArray(rules) || rules.length > maxRules) throw malformed();
  const read = rules.map(readRule);
  if (new Set(read.map(({ id }) => id)).size < read.length) {
    throw new AwsError('InvalidArgument', 'RuleId must be unique. Found same ID for more than one rule');
  }
  return read;
}

function readRule(rule: unknown): LifecycleRule {
  const status = text(rule, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed();
  const id = text(rule, 'ID') ?? randomUUID();
  if (id.length > maxIdLength)
    throw new AwsError('InvalidArgument', 'ID length should not exceed allowed limit of 255');
  const filter = field(rule, 'Filter');
  const served =
    notServed.every((name) => field(rule, name) === undefined) &&
    (typeof filter !== 'object' || filter === null || Object.keys(filter).every((name) => name === 'Prefix')) &&
    text(field(rule, 'Expiration'), 'Date') === undefined;
  if (!served) {
    throw new AwsError('NotImplemented', 'Only rules by prefix that expire objects by days are served here.', 501);
  }
  const days = {
    ...daysOf('expireDays', rule, 'Expiration', 'Days'),
    ...daysOf('abortMultipartDays', rule, 'AbortIncompleteMultipartUpload', 'DaysAfterInitiation'),
    ...daysOf('noncurrentDays', rule, 'NoncurrentVersionExpiration', 'NoncurrentDays'),
  };
  if (Object.keys(days).length === 0 && text(field(rule, 'Expiration'), 'ExpiredObjectDeleteMarker') === undefined) {
    throw new AwsError('InvalidRequest', 'At least one action needs to be specified in a rule');
  }
  return { id, prefix: text(filter, 'Prefix') ?? text(rule, 'Prefix') ?? '', enabled: status === 'Enabled', ...days };
}

function daysOf<Name extends string>(
  name: Name,
  rule: unknown,
  action: string,
  child: string,
): Partial<Record<Name, number>> {
  const days = text(field(rule, action), child);
  if (days === undefined) return {};
  if (!/^[1-9]\d{0,8}$/.test(days)) {
    throw new AwsError('InvalidArgument', `'${child}' for ${action} action must be a positive integer`);
  }
  // Safe: the one key is `name`.
  return { [name]: Number(days) } as Partial<Record<Name, number>>;
}

/** The answer to GetBucketLifecycleConfiguration. */
export function lifecycleXml(rules: readonly LifecycleRule[]): string {
  const action = (name: string, child: string, days: number | undefined): string =>
    days === undefined ? '' : `<${name}>${element(child, days)}</${name}>`;
  const written = rules.map(
    (rule) =>
      `<Rule>${element('ID', rule.id)}<Filter>${element('Prefix', rule.prefix)}</Filter>` +
      element('Status', rule.enabled ? 'Enabled' : 'Disabled') +
      action('Expiration', 'Days', rule.expireDays) +
      action('AbortIncompleteMultipartUpload', 'DaysAfterInitiation', rule.abortMultipartDays) +
      `${action('NoncurrentVersionExpiration', 'NoncurrentDays', rule.noncurrentDays)}</Rule>`,
  );
  return `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${written.join('')}</LifecycleConfiguration>`;
}

/**
 * When an object is to go and by which rule, in milliseconds since 1970; undefined when it stays. As S3 counts: the days from its
 * last change, rounded up to the next midnight UTC (docs.aws.amazon.com/AmazonS3, "Lifecycle rules: Based on an object's age").
 */
export function expiryOf(
  rules: readonly LifecycleRule[],
  object: { readonly key: string; readonly lastModified: string },
): { readonly at: number; readonly rule: string } | undefined {
  const changed = Date.parse(object.lastModified);
  const expiries = rules.flatMap(({ id, prefix, enabled, expireDays }) =>
    enabled && expireDays !== undefined && object.key.startsWith(prefix)
      ? [{ at: Math.ceil((changed + expireDays * dayMs) / dayMs) * dayMs, rule: id }]
      : [],
  );
  return expiries.toSorted((a, b) => a.at - b.at)[0];
}
