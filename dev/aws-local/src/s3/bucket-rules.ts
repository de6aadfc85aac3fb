import type { ServerResponse } from 'node:http';
import { JsonFile } from '../json-file.ts';
import { AwsError } from '../service.ts';
import { type Encryption, encryptionXml, ownKeys, readEncryption } from './encryption.ts';
import { expiryOf, type LifecycleRule, lifecycleXml, readLifecycle } from './lifecycle.ts';
import type { ObjectStore } from './object-store.ts';

/** What a bucket does by itself with the objects in it. */
export interface RulesOfBucket {
  readonly lifecycle?: readonly LifecycleRule[];
  readonly encryption?: Encryption;
}

/** The operations on a bucket's rules, by the sub-resource that names them. */
const operations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  lifecycle: {
    PUT: 'PutBucketLifecycleConfiguration',
    GET: 'GetBucketLifecycleConfiguration',
    DELETE: 'DeleteBucketLifecycle',
  },
  encryption: { PUT: 'PutBucketEncryption', GET: 'GetBucketEncryption', DELETE: 'DeleteBucketEncryption' },
};

export function bucketRuleOperation(method: string, query: URLSearchParams): string | undefined {
  const name = Object.keys(operations).find((subresource) => query.has(subresource));
  return name === undefined ? undefined : operations[name]?.[method];
}

/** The rules of every bucket, in one file. */
export class BucketRules {
  readonly #file: JsonFile<Record<string, RulesOfBucket>>;
  readonly #rules: Map<string, RulesOfBucket>;

  private constructor(file: JsonFile<Record<string, RulesOfBucket>>, rules: Map<string, RulesOfBucket>) {
    this.#file = file;
    this.#rules = rules;
  }

  static async open(path: string): Promise<BucketRules> {
    const file = new JsonFile<Record<string, RulesOfBucket>>(path);
    return new BucketRules(file, new Map(Object.entries(await file.read({}))));
  }

  /** Rules for a bucket that was never given any. */
  async setInitial(bucket: string, rules: RulesOfBucket): Promise<void> {
    if (!this.#rules.has(bucket)) await this.#change(bucket, rules);
  }

  encryptionOf(bucket: string): Encryption {
    return this.#rules.get(bucket)?.encryption ?? ownKeys;
  }

  /** S3's header for an object that will expire; nothing for others. */
  expiryHeader(bucket: string, object: { key: string; lastModified: string }): Record<string, string> {
    const expiry = expiryOf(this.#rules.get(bucket)?.lifecycle ?? [], object);
    if (!expiry) return {};
    const date = new Date(expiry.at).toUTCString();
    return { 'x-amz-expiration': `expiry-date="${date}", rule-id="${encodeURIComponent(expiry.rule)}"` };
  }

  /** Deletes every object whose time is past; answers how many. `now` in milliseconds since 1970. */
  async sweep(store: ObjectStore, now: number): Promise<number> {
    let deleted = 0;
    for (const [bucket, { lifecycle = [] }] of this.#rules) {
      for (const object of store.list(bucket, '')) {
        const expiry = expiryOf(lifecycle, object);
        // It may have been replaced since it was listed.
        if (!expiry || expiry.at > now || store.find(bucket, object.key) !== object) continue;
        await store.delete(bucket, object.key);
        deleted += 1;
      }
    }
    return deleted;
  }

  /** A deleted bucket takes its rules with it. */
  async forget(bucket: string): Promise<void> {
    if (this.#rules.delete(bucket)) await this.#save();
  }

  /** One of the operations of `bucketRuleOperation`. */
  async handle(operation: string, bucket: string, body: Buffer, response: ServerResponse): Promise<void> {
    const { lifecycle, encryption } = this.#rules.get(bucket) ?? {};
    switch (operation) {
      case 'PutBucketLifecycleConfiguration':
        await this.#change(bucket, { ...(encryption ? { encryption } : {}), lifecycle: readLifecycle(body) });
        response.writeHead(200, { 'content-length': '0' }).end();
        return;
      case 'PutBucketEncryption':
        await this.#change(bucket, { ...(lifecycle ? { lifecycle } : {}), encryption: readEncryption(body) });
        response.writeHead(200, { 'content-length': '0' }).end();
        return;
      case 'DeleteBucketLifecycle':
        await this.#change(bucket, encryption ? { encryption } : {});
        response.writeHead(204).end();
        return;
      case 'DeleteBucketEncryption':
        await this.#change(bucket, lifecycle ? { lifecycle } : {});
        response.writeHead(204).end();
        return;
      default: {
        const wantsLifecycle = operation === 'GetBucketLifecycleConfiguration';
        if (wantsLifecycle && (lifecycle ?? []).length === 0) {
          throw new AwsError('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', 404);
        }
        const xml = wantsLifecycle ? lifecycleXml(lifecycle ?? []) : encryptionXml(encryption ?? ownKeys);
        response
          .writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) })
          .end(xml);
      }
    }
  }

  async #change(bucket: string, rules: RulesOfBucket): Promise<void> {
    this.#rules.set(bucket, rules);
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#file.write(Object.fromEntries(this.#rules));
  }
}
