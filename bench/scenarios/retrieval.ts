import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBedrockAgent, createBedrockAgentRuntime, createS3 } from '@manuel/aws';
import { startAwsLocal } from '@manuel/aws-local';
import { settingsWith } from '@manuel/settings';
import { waitFor } from '@manuel/testing';
import { directly } from '../support/directly.ts';
import type { Row, Scenario } from '../support/scenario.ts';
import { median, quantile } from '../support/statistics.ts';
import { manualText, questionText } from '../support/word-salad.ts';

/** Pages in the index, all of one owner, so that every search has to look at all. A page is a passage or two. */
const sizes = [1000, 10_000, 100_000];
const pagesPerManual = 250;
const questions = 200;
const owner = 'bench';

/** Fills a local knowledge base up to each size and searches it over the wire. */
export const retrieval: Scenario = {
  name: 'retrieval',
  title: 'Retrieve on the local knowledge base, over the wire',
  async run() {
    const dir = await mkdtemp(join(tmpdir(), 'manuel-retrieval-'));
    const aws = await startAwsLocal({ dir });
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
    const settings = settingsWith();
    const s3 = createS3({ settings, resilience: directly });
    const agent = createBedrockAgent({ settings, resilience: directly });
    const search = createBedrockAgentRuntime({ settings, resilience: directly });
    const bucket = settings.storage.manuals_bucket;

    async function addManual(n: number): Promise<void> {
      const key = `${settings.storage.manuals_prefix}/${owner}/${n}/manual.txt`;
      const metadataAttributes = { user_id: owner, manual_id: `m${n}`, original_filename: 'manual.txt' };
      const sidecar = { bucket, key: `${key}.metadata.json`, contentType: 'application/json' };
      await s3.putObject({ bucket, key, body: manualText(n, pagesPerManual), contentType: 'text/plain' });
      await s3.putObject({ ...sidecar, body: JSON.stringify({ metadataAttributes }) });
      const uri = `s3://${bucket}/${key}`;
      await agent.ingestDocuments([{ uri, metadataUri: `${uri}.metadata.json` }]);
      const indexed = async (): Promise<boolean> => (await agent.getDocuments([uri]))[0]?.status === 'INDEXED';
      await waitFor(indexed, { timeoutMs: 120_000, everyMs: 50, what: 'the index' });
    }

    const rows: Row[] = [];
    let manuals = 0;
    try {
      for (const size of sizes) {
        for (; manuals < size / pagesPerManual; manuals += 1) await addManual(manuals);
        const times: number[] = [];
        for (let n = 0; n < questions; n += 1) {
          const started = performance.now();
          const found = await search.retrieve({ ownerId: owner, text: questionText(n), limit: 20 });
          if (found.length === 0) throw new Error('nothing was found');
          times.push(performance.now() - started);
        }
        const what = `${size.toLocaleString('en')} pages`;
        rows.push({ what: `${what}, p50`, ours: median(times), unit: 'ms' });
        const aim = { ratio: 1, direction: 'less' } as const;
        const bound = size === 10_000 ? { base: 20, against: 'the aim', aim } : {};
        rows.push({ what: `${what}, p95`, ours: quantile(times, 0.95), unit: 'ms', ...bound });
      }
    } finally {
      search.close();
      agent.close();
      s3.close();
      await aws.close();
      await rm(dir, { recursive: true, force: true });
    }
    return rows;
  },
};
