import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKnowledgeBase, type KnowledgeBase, type KnowledgeBaseOptions } from '../index.ts';

export interface OpenKnowledgeBase {
  readonly knowledgeBase: KnowledgeBase;
  readonly dataDir: string;
  /** The S3 behind it: `key` to content, all in the bucket `manuals`. */
  readonly objects: Map<string, Buffer>;
  readonly logs: string[];
  /** Stores a text with its owner and waits until it is found. */
  add(key: string, text: string, owner: string): Promise<void>;
  /** Closes it and opens it again on the same folder. */
  reopen(overrides?: Partial<KnowledgeBaseOptions>): Promise<OpenKnowledgeBase>;
  close(): Promise<void>;
}

/** For tests: a knowledge base in a folder of its own over an S3 that is a map. */
export async function openKnowledgeBase(
  overrides: Partial<KnowledgeBaseOptions> = {},
  objects = new Map<string, Buffer>(),
): Promise<OpenKnowledgeBase> {
  const dataDir = overrides.dataDir ?? (await mkdtemp(join(tmpdir(), 'knowledge-base-')));
  const logs: string[] = [];
  const knowledgeBase = await createKnowledgeBase({
    readObject: (_, key) => Promise.resolve(objects.get(key)),
    listObjects: (_, prefix) => Promise.resolve([...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted()),
    log: (message) => logs.push(message),
    searchableDelayMs: 0,
    ...overrides,
    dataDir,
  });
  return {
    knowledgeBase,
    dataDir,
    objects,
    logs,
    async add(key, text, owner) {
      objects.set(key, Buffer.from(text));
      objects.set(`${key}.metadata.json`, Buffer.from(JSON.stringify({ metadataAttributes: { user_id: owner } })));
      const uri = `s3://manuals/${key}`;
      await knowledgeBase.ingest(uri, `${uri}.metadata.json`);
      await until(() => knowledgeBase.isSearchable(uri));
    },
    async reopen(more = {}) {
      await knowledgeBase.close();
      return openKnowledgeBase({ ...overrides, ...more, dataDir }, objects);
    },
    async close() {
      await knowledgeBase.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition was not met within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
