import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What the store knows of an object besides its bytes. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** MD5 of the content in hex, without quotes. */
  readonly etag: string;
  /** RFC 3339 */
  readonly lastModified: string;
  /** Headers to answer with: content-type, content-disposition, ..., x-amz-meta-*, x-amz-checksum-*. */
  readonly headers: Readonly<Record<string, string>>;
  /** File name of the content, new for every version. */
  readonly content: string;
}

/** A body that was received whole, is on disk, and is not yet an object. */
export interface Received {
  readonly content: string;
  readonly size: number;
  readonly etag: string;
}

interface Bucket {
  readonly createdAt: string;
  readonly objects: Map<string, StoredObject>;
}

/**
 * Objects on disk: `<bucket>/content/<uuid>` holds bytes, `<bucket>/objects/<sha256 of key>.json` says which of them is
 * the object. Content is complete before it is renamed into being, so a reader or a crash never meets half an upload.
 */
export class ObjectStore {
  readonly #dir: string;
  readonly #buckets = new Map<string, Bucket>();
  /** The last change of each object's file; the next one waits for it. */
  readonly #changes = new Map<string, Promise<void>>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Reads the index of what is there and removes content that no object refers to. */
  static async open(dir: string): Promise<ObjectStore> {
    const store = new ObjectStore(dir);
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) await store.#load(entry.name);
    }
    return store;
  }

  async #load(name: string): Promise<void> {
    const bucketDir = join(this.#dir, name);
    const { createdAt }: { createdAt: string } = JSON.parse(await readFile(join(bucketDir, 'bucket.json'), 'utf8'));
    const files = await readdir(join(bucketDir, 'objects'));
    const stored = await Promise.all(
      files
        .filter((file) => file.endsWith('.json'))
        .map(async (file): Promise<StoredObject> =>
          JSON.parse(await readFile(join(bucketDir, 'objects', file), 'utf8')),
        ),
    );
    this.#buckets.set(name, { createdAt, objects: new Map(stored.map((object) => [object.key, object])) });
    const used = new Set(stored.map((object) => object.content));
    const orphans = (await readdir(join(bucketDir, 'content'))).filter((file) => !used.has(file));
    await Promise.all(orphans.map((file) => rm(join(bucketDir, 'content', file))));
  }

  buckets(): { name: string; createdAt: string }[] {
    return [...this.#buckets].map(([name, { createdAt }]) => ({ name, createdAt }));
  }

  hasBucket(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  async createBucket(bucket: string): Promise<void> {
    if (this.#buckets.has(bucket)) return;
    const createdAt = new Date().toISOString();
    await mkdir(join(this.#dir, bucket, 'objects'), { recursive: true });
    await mkdir(join(this.#dir, bucket, 'content'), { recursive: true });
    await writeFile(join(this.#dir, bucket, 'bucket.json'), JSON.stringify({ createdAt }));
    this.#buckets.set(bucket, { createdAt, objects: new Map() });
  }

  async deleteBucket(bucket: string): Promise<void> {
    this.#buckets.delete(bucket);
    await rm(join(this.#dir, bucket), { recursive: true });
  }

  find(bucket: string, key: string): StoredObject | undefined {
    return this.#buckets.get(bucket)?.objects.get(key);
  }

  /** Every object whose key begins with `prefix`, in the order of the keys' UTF-8 bytes. */
  list(bucket: string, prefix: string): StoredObject[] {
    const objects = [...(this.#buckets.get(bucket)?.objects.values() ?? [])];
    return objects
      .filter((object) => object.key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** Opens the content for reading; stays readable when the object is overwritten or deleted meanwhile. */
  openContent(bucket: string, object: StoredObject): Promise<FileHandle> {
    return open(this.#contentPath(bucket, object.content));
  }

  /** Writes a body to disk. Nothing remains of one that breaks off. */
  async receive(bucket: string, body: Readable): Promise<Received> {
    const content = randomUUID();
    const path = this.#contentPath(bucket, content);
    const md5 = createHash('md5');
    let size = 0;
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            md5.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(path, { flags: 'wx' }),
      );
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { content, size, etag: md5.digest('hex') };
  }

  /** Forgets a received body that is not to become an object. */
  async discard(bucket: string, received: Received): Promise<void> {
    await rm(this.#contentPath(bucket, received.content), { force: true });
  }

  /** Makes a received body the object, in place of what was there. */
  async commit(
    bucket: string,
    key: string,
    received: Received,
    headers: Record<string, string>,
  ): Promise<StoredObject> {
    const objects = this.#objectsOf(bucket);
    const object: StoredObject = { key, ...received, lastModified: new Date().toISOString(), headers };
    const previous = objects.get(key);
    objects.set(key, object);
    const path = this.#metadataPath(bucket, key);
    await this.#inOrder(path, async () => {
      const temporary = `${path}.${received.content}`;
      await writeFile(temporary, JSON.stringify(object));
      await rename(temporary, path);
      if (previous) await rm(this.#contentPath(bucket, previous.content), { force: true });
    });
    return object;
  }

  async delete(bucket: string, key: string): Promise<void> {
    const objects = this.#objectsOf(bucket);
    const object = objects.get(key);
    if (!object) return;
    objects.delete(key);
    const path = this.#metadataPath(bucket, key);
    await this.#inOrder(path, async () => {
      await rm(path, { force: true });
      await rm(this.#contentPath(bucket, object.content), { force: true });
    });
  }

  /** Runs the change after earlier ones of the same file, so that memory and disk end up the same. */
  async #inOrder(path: string, change: () => Promise<void>): Promise<void> {
    const earlier = this.#changes.get(path) ?? Promise.resolve();
    const own = earlier.then(change, change);
    this.#changes.set(path, own);
    try {
      await own;
    } finally {
      if (this.#changes.get(path) === own) this.#changes.delete(path);
    }
  }

  #objectsOf(bucket: string): Map<string, StoredObject> {
    const found = this.#buckets.get(bucket);
    if (!found) throw new Error(`there is no bucket ${bucket}`);
    return found.objects;
  }

  #contentPath(bucket: string, content: string): string {
    return join(this.#dir, bucket, 'content', content);
  }

  #metadataPath(bucket: string, key: string): string {
    return join(this.#dir, bucket, 'objects', `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}
