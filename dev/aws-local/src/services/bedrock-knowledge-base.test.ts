import {
  BedrockAgentClient,
  DeleteKnowledgeBaseDocumentsCommand,
  GetDataSourceCommand,
  GetIngestionJobCommand,
  GetKnowledgeBaseCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
  ListDataSourcesCommand,
  ListIngestionJobsCommand,
  ListKnowledgeBaseDocumentsCommand,
  ListKnowledgeBasesCommand,
  StartIngestionJobCommand,
  StopIngestionJobCommand,
  type KnowledgeBaseDocument,
} from '@aws-sdk/client-bedrock-agent';
import {
  BedrockAgentRuntimeClient,
  RetrieveCommand,
  type RetrievalFilter,
} from '@aws-sdk/client-bedrock-agent-runtime';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ESPRESSO_MANUAL } from '../knowledge-base/testing/espresso-manual.ts';
import { startTestAws, type TestAws } from '../testing/local-aws.ts';

const ids = { knowledgeBaseId: 'MANUELKB01', dataSourceId: 'MANUELDS01' };
const bucket = 'manuel-manuals';
let aws: TestAws;
let agent: BedrockAgentClient;
let runtime: BedrockAgentRuntimeClient;
let s3: S3Client;

beforeAll(async () => {
  aws = await startTestAws({ knowledgeBase: { searchableDelayMs: 0, prefix: 'jobs/' } });
  agent = new BedrockAgentClient(aws.client);
  runtime = new BedrockAgentRuntimeClient(aws.client);
  s3 = new S3Client({ ...aws.client, forcePathStyle: true });
});

afterAll(async () => {
  agent.destroy();
  runtime.destroy();
  s3.destroy();
  await aws.close();
});

function s3Document(uri: string): KnowledgeBaseDocument {
  return { content: { dataSourceType: 'S3', s3: { s3Location: { uri } } } };
}

async function put(key: string, body: string): Promise<string> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  return `s3://${bucket}/${key}`;
}

async function putManual(key: string, text: string, attributes: Record<string, unknown>): Promise<string> {
  await put(`${key}.metadata.json`, JSON.stringify({ metadataAttributes: attributes }));
  return put(key, text);
}

function ingest(...documents: KnowledgeBaseDocument[]): Promise<unknown> {
  return agent.send(new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents }));
}

async function detailOf(uri: string): Promise<{ status?: string | undefined; statusReason?: string | undefined }> {
  const { documentDetails } = await agent.send(
    new GetKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [{ dataSourceType: 'S3', s3: { uri } }] }),
  );
  return documentDetails?.[0] ?? {};
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition was not met within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function retrieve(text: string, filter: RetrievalFilter, numberOfResults = 5) {
  const { retrievalResults } = await runtime.send(
    new RetrieveCommand({
      knowledgeBaseId: ids.knowledgeBaseId,
      retrievalQuery: { text },
      retrievalConfiguration: { vectorSearchConfiguration: { filter, numberOfResults, overrideSearchType: 'HYBRID' } },
    }),
  );
  return retrievalResults ?? [];
}

const ownedBy = (value: string): RetrievalFilter => ({ equals: { key: 'user_id', value } });

test('a document is found by its owner alone, with page, metadata and location, and gone after its deletion', async () => {
  const uri = await putManual('users/ana/espresso.txt', ESPRESSO_MANUAL, {
    user_id: 'ana',
    manual_id: 'm1',
    year: 2024,
  });
  await expect(ingest(s3Document(uri))).resolves.toMatchObject({
    documentDetails: [{ ...ids, status: 'PENDING', identifier: { dataSourceType: 'S3', s3: { uri } } }],
  });
  await until(async () => (await retrieve('descale', ownedBy('ana'))).length > 0);
  expect(await detailOf(uri)).toMatchObject({ status: 'INDEXED' });

  const [best] = await retrieve('How do I descale it?', ownedBy('ana'));
  expect(best).toMatchObject({
    content: { type: 'TEXT', text: expect.stringContaining('citric acid') },
    location: { type: 'S3', s3Location: { uri } },
    metadata: {
      user_id: 'ana',
      manual_id: 'm1',
      year: 2024,
      'x-amz-bedrock-kb-source-uri': uri,
      'x-amz-bedrock-kb-document-page-number': 7,
      'x-amz-bedrock-kb-data-source-id': ids.dataSourceId,
      'x-amz-bedrock-kb-chunk-id': expect.stringMatching(/./),
    },
  });
  expect(best?.score).toBeGreaterThan(0);
  expect(best?.score).toBeLessThanOrEqual(1);
  expect(await retrieve('How do I descale it?', ownedBy('ben'))).toEqual([]);

  const identifier = { dataSourceType: 'S3' as const, s3: { uri } };
  await agent.send(new DeleteKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [identifier] }));
  expect(await retrieve('How do I descale it?', ownedBy('ana'))).toEqual([]);
  await until(async () => (await detailOf(uri)).status === 'NOT_FOUND');
});

test('a document without a sidecar has no owner', async () => {
  const uri = await put('users/eve/orphan.txt', 'Zirconium lamps glow violet.');
  await ingest(s3Document(uri));
  await until(async () => (await detailOf(uri)).status === 'INDEXED');
  await until(async () => (await retrieve('zirconium', { notEquals: { key: 'user_id', value: 'ana' } })).length > 0);
  expect(await retrieve('zirconium', ownedBy('eve'))).toEqual([]);
  expect(await retrieve('zirconium', { startsWith: { key: 'user_id', value: '' } })).toEqual([]);
});

test.each([
  ['the object is missing', 'broken/missing.txt', undefined, undefined, /not found/],
  ['the sidecar is no JSON', 'broken/sidecar.txt', 'text', '{', /not valid JSON/],
  ['the sidecar has no attributes', 'broken/shape.txt', 'text', '{"a":1}', /metadataAttributes/],
  [
    'the sidecar is too large',
    'broken/large.txt',
    'text',
    `{"metadataAttributes":{"a":"${'x'.repeat(11_000)}"}}`,
    /10240/,
  ],
  ['the document is empty', 'broken/empty.txt', ' \n ', undefined, /no text/],
  ['the PDF is none', 'broken/fake.pdf', 'hello', undefined, /its content is not/],
  ['the PDF is damaged', 'broken/damaged.pdf', '%PDF-1.7 hello', undefined, /no readable PDF/],
])('fails with a reason when %s', async (_, key, body, sidecar, reason) => {
  if (body !== undefined) await put(key, body);
  if (sidecar !== undefined) await put(`${key}.metadata.json`, sidecar);
  const uri = `s3://${bucket}/${key}`;
  await ingest(s3Document(uri));
  await until(async () => (await detailOf(uri)).status === 'FAILED');
  expect((await detailOf(uri)).statusReason).toMatch(reason);
});

test('an ingestion job adds, updates and deletes by comparing, one job at a time', async () => {
  await putManual('jobs/a.txt', 'Alpha washer with a quick cycle.', { user_id: 'job' });
  await putManual('jobs/b.txt', 'Bravo dryer with a lint filter.', { user_id: 'job' });
  const run = async () => {
    const start = () => agent.send(new StartIngestionJobCommand({ ...ids, description: 'sync' }));
    const [one, other] = await Promise.allSettled([start(), start()]);
    const [started, refused] = one.status === 'fulfilled' ? [one, other] : [other, one];
    expect(refused).toMatchObject({ reason: { name: 'ConflictException' } });
    const ingestionJobId = started?.status === 'fulfilled' ? started.value.ingestionJob?.ingestionJobId : undefined;
    const job = { ...ids, ingestionJobId: ingestionJobId ?? '' };
    const read = async () => (await agent.send(new GetIngestionJobCommand(job))).ingestionJob;
    await until(async () => (await read())?.status === 'COMPLETE');
    return (await read())?.statistics;
  };
  expect((await run())?.numberOfNewDocumentsIndexed).toBeGreaterThanOrEqual(2);
  await until(async () => (await retrieve('lint filter', ownedBy('job'))).length === 1);

  await putManual('jobs/a.txt', 'Alpha washer with a steam cycle.', { user_id: 'job' });
  await putManual('jobs/b.txt', 'Bravo dryer with a lint filter.', { user_id: 'job', room: 'cellar' });
  expect(await run()).toMatchObject({ numberOfModifiedDocumentsIndexed: 1, numberOfMetadataDocumentsModified: 1 });
  await until(
    async () => (await retrieve('steam cycle', ownedBy('job')))[0]?.content?.text?.includes('steam') === true,
  );

  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'jobs/b.txt' }));
  expect(await run()).toMatchObject({ numberOfDocumentsDeleted: 1, numberOfNewDocumentsIndexed: 0 });
  expect(await retrieve('lint filter', ownedBy('job'))).toEqual([]);

  const { ingestionJobSummaries } = await agent.send(
    new ListIngestionJobsCommand({ ...ids, filters: [{ attribute: 'STATUS', operator: 'EQ', values: ['COMPLETE'] }] }),
  );
  expect(ingestionJobSummaries).toHaveLength(3);
  const stop = { ...ids, ingestionJobId: ingestionJobSummaries?.[0]?.ingestionJobId ?? '' };
  await expect(agent.send(new StopIngestionJobCommand(stop))).rejects.toMatchObject({ name: 'ConflictException' });
});

test('describes the knowledge base, its data source and its documents', async () => {
  const { knowledgeBaseId } = ids;
  expect((await agent.send(new GetKnowledgeBaseCommand({ knowledgeBaseId }))).knowledgeBase).toMatchObject({
    status: 'ACTIVE',
  });
  expect((await agent.send(new ListKnowledgeBasesCommand({}))).knowledgeBaseSummaries).toHaveLength(1);
  expect((await agent.send(new ListDataSourcesCommand({ knowledgeBaseId }))).dataSourceSummaries).toHaveLength(1);
  expect((await agent.send(new GetDataSourceCommand(ids))).dataSource).toMatchObject({
    status: 'AVAILABLE',
    dataSourceConfiguration: { s3Configuration: { bucketArn: `arn:aws:s3:::${bucket}`, inclusionPrefixes: ['jobs/'] } },
  });
  await ingest(s3Document(`s3://${bucket}/jobs/y.txt`), s3Document(`s3://${bucket}/jobs/z.txt`));
  const first = await agent.send(new ListKnowledgeBaseDocumentsCommand({ ...ids, maxResults: 1 }));
  expect(first.documentDetails).toHaveLength(1);
  const { nextToken } = first;
  const second = await agent.send(new ListKnowledgeBaseDocumentsCommand({ ...ids, maxResults: 1, nextToken }));
  expect(second.documentDetails?.[0]?.identifier).not.toEqual(first.documentDetails?.[0]?.identifier);
});

const document = s3Document('s3://manuel-manuals/a.txt');
const inline = { type: 'IN_LINE_ATTRIBUTE' as const, inlineAttributes: [] };

test.each([
  [
    'ResourceNotFoundException',
    new GetKnowledgeBaseDocumentsCommand({ ...ids, knowledgeBaseId: 'OTHERKB001', documentIdentifiers: [] }),
  ],
  [
    'ResourceNotFoundException',
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, dataSourceId: 'OTHERDS001', documents: [document] }),
  ],
  ['ResourceNotFoundException', new GetIngestionJobCommand({ ...ids, ingestionJobId: 'NOSUCHJOB1' })],
  ['ValidationException', new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [] })],
  [
    'ValidationException',
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: Array.from({ length: 26 }, () => document) }),
  ],
  [
    'ValidationException',
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [s3Document('https://example.com/a')] }),
  ],
  [
    'ValidationException',
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [{ ...document, metadata: inline }] }),
  ],
  [
    'ValidationException',
    new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [document], clientToken: 'short' }),
  ],
  [
    'ValidationException',
    new GetKnowledgeBaseDocumentsCommand({
      ...ids,
      documentIdentifiers: [{ dataSourceType: 'CUSTOM', custom: { id: 'a' } }],
    }),
  ],
  ['ValidationException', new ListKnowledgeBaseDocumentsCommand({ ...ids, maxResults: 0 })],
  ['ValidationException', new ListKnowledgeBaseDocumentsCommand({ ...ids, nextToken: 'x' })],
] as const)('the control plane answers %s to what AWS would refuse (%#)', async (name, command) => {
  // The union of commands has no common overload of send().
  await expect(agent.send(command as IngestKnowledgeBaseDocumentsCommand)).rejects.toMatchObject({ name });
});

const search = (vectorSearchConfiguration: object): object => ({
  retrievalConfiguration: { vectorSearchConfiguration },
});
const leaf = ownedBy('ana');

test.each([
  ['ResourceNotFoundException', { knowledgeBaseId: 'OTHERKB001' }],
  ['ValidationException', { retrievalQuery: { text: '  ' } }],
  ['ValidationException', { retrievalQuery: { text: 'x'.repeat(20_001) } }],
  ['ValidationException', { nextToken: 'x' }],
  ['ValidationException', search({ numberOfResults: 101 })],
  ['ValidationException', search({ numberOfResults: 0 })],
  ['ValidationException', search({ overrideSearchType: 'MAGIC' })],
  ['ValidationException', search({ filter: { andAll: [leaf] } })],
  ['ValidationException', search({ filter: { orAll: Array.from({ length: 6 }, () => leaf) } })],
] as const)('Retrieve answers %s to what AWS would refuse (%#)', async (name, override) => {
  const input = { knowledgeBaseId: ids.knowledgeBaseId, retrievalQuery: { text: 'x' }, ...override };
  await expect(runtime.send(new RetrieveCommand(input))).rejects.toMatchObject({ name });
});
