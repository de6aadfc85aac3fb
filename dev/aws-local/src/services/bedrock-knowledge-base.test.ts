import {
  BedrockAgentClient,
  DeleteKnowledgeBaseDocumentsCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
  type KnowledgeBaseDocument,
} from '@aws-sdk/client-bedrock-agent';
import { BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ESPRESSO_MANUAL } from '../knowledge-base/testing/espresso-manual.ts';
import { startLocalBedrock, type LocalBedrock } from '../knowledge-base/testing/local-bedrock.ts';

const ids = { knowledgeBaseId: 'MANUELKB01', dataSourceId: 'MANUELDS01' };
let local: LocalBedrock;
let agent: BedrockAgentClient;
let runtime: BedrockAgentRuntimeClient;

beforeAll(async () => {
  local = await startLocalBedrock();
  const config = {
    endpoint: local.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    // The runtime client speaks HTTP/2 by default; this server does not.
    requestHandler: new NodeHttpHandler(),
  };
  agent = new BedrockAgentClient(config);
  runtime = new BedrockAgentRuntimeClient(config);
});

afterAll(async () => {
  agent.destroy();
  runtime.destroy();
  await local.close();
});

function s3Document(uri: string): KnowledgeBaseDocument {
  return { content: { dataSourceType: 'S3', s3: { s3Location: { uri } } } };
}

async function statusOf(uri: string): Promise<string | undefined> {
  const { documentDetails } = await agent.send(
    new GetKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [{ dataSourceType: 'S3', s3: { uri } }] }),
  );
  return documentDetails?.[0]?.status;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition was not met within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function ask(text: string, userId: string): Promise<{ text: string; page: unknown }[]> {
  const { retrievalResults } = await runtime.send(
    new RetrieveCommand({
      knowledgeBaseId: ids.knowledgeBaseId,
      retrievalQuery: { text },
      retrievalConfiguration: { vectorSearchConfiguration: { filter: { equals: { key: 'user_id', value: userId } } } },
    }),
  );
  return (retrievalResults ?? []).map(({ content, metadata }) => ({
    text: content?.text ?? '',
    page: metadata?.['x-amz-bedrock-kb-document-page-number'],
  }));
}

test('a document is ingested, found by its owner alone with its page, and gone after its deletion', async () => {
  const uri = 's3://manuals/users/ana/espresso.txt';
  local.objects.set('manuals/users/ana/espresso.txt', Buffer.from(ESPRESSO_MANUAL));
  local.objects.set(
    'manuals/users/ana/espresso.txt.metadata.json',
    Buffer.from(JSON.stringify({ metadataAttributes: { user_id: 'ana' } })),
  );
  const { documentDetails } = await agent.send(
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [s3Document(uri)] }),
  );
  expect(documentDetails?.[0]).toMatchObject({ status: 'PENDING', identifier: { s3: { uri } } });
  await until(async () => (await statusOf(uri)) === 'INDEXED');
  await until(async () => (await ask('How do I descale it?', 'ana')).length > 0);

  expect((await ask('How do I descale it?', 'ana'))[0]).toMatchObject({
    page: 7,
    text: expect.stringContaining('citric acid'),
  });
  expect(await ask('How do I descale it?', 'ben')).toEqual([]);

  await agent.send(
    new DeleteKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [{ dataSourceType: 'S3', s3: { uri } }] }),
  );
  await until(async () => (await statusOf(uri)) === 'NOT_FOUND');
  expect(await ask('How do I descale it?', 'ana')).toEqual([]);
});
