import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BedrockAgentClient,
  DeleteKnowledgeBaseDocumentsCommand,
  GetIngestionJobCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
  ListKnowledgeBaseDocumentsCommand,
  StartIngestionJobCommand,
} from '@aws-sdk/client-bedrock-agent';
import { BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import type { ConverseCommandInput } from '@aws-sdk/client-bedrock-runtime';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetTranscriptionJobCommand, StartTranscriptionJobCommand, TranscribeClient } from '@aws-sdk/client-transcribe';
import { refusal, startTestAws } from './testing/local-aws.ts';
import type { TestAws } from './testing/local-aws.ts';

/**
 * What Manuel does with AWS, through the official clients as they come, on one port. S3, DynamoDB, SNS and Cognito have
 * tests of their own beside them; here the services work on each other's data.
 */
let aws: TestAws;
let s3: S3Client;
let agent: BedrockAgentClient;
let agentRuntime: BedrockAgentRuntimeClient;
let runtime: BedrockRuntimeClient;
let transcribe: TranscribeClient;
let speech: Server;
let ids: { knowledgeBaseId: string; dataSourceId: string };
const modelId = 'anthropic.claude-3-5-sonnet-20241022-v2:0';

beforeAll(async () => {
  // A speech server of the kind SPEECH_URL names.
  speech = createServer((request, response) => {
    request
      .resume()
      .once('end', () => response.setHeader('content-type', 'application/json').end('{"text":"how do I descale it"}'));
  });
  await new Promise<void>((resolve) => speech.listen(0, '127.0.0.1', resolve));
  const address = speech.address();
  const speechUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  aws = await startTestAws({ transcribe: { speechUrl } });
  s3 = new S3Client(aws.client);
  agent = new BedrockAgentClient(aws.client);
  agentRuntime = new BedrockAgentRuntimeClient(aws.client);
  runtime = new BedrockRuntimeClient(aws.client);
  transcribe = new TranscribeClient(aws.client);
  ids = { knowledgeBaseId: aws.config['knowledge_base_id'] ?? '', dataSourceId: aws.config['data_source_id'] ?? '' };
});
afterAll(async () => {
  for (const client of [s3, agent, agentRuntime, runtime, transcribe]) client.destroy();
  speech.close();
  await aws.close();
});

/** Asks again until the answer is there; jest's own time limit ends it. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(10);
  }
}

const Bucket = 'manuel-manuals';
const manual = (answer: string): string =>
  `Acme kettle, operating manual.\n\nSafety. Keep the kettle away from children at all times.\n\nDescaling. ${answer}\n`;

async function upload(owner: string, text: string): Promise<string> {
  const Key = `manuals/${owner}/kettle.txt`;
  await s3.send(
    new PutObjectCommand({
      Bucket,
      Key: `${Key}.metadata.json`,
      Body: JSON.stringify({ metadataAttributes: { user_id: owner } }),
    }),
  );
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: 'text/plain' }));
  return `s3://${Bucket}/${Key}`;
}
const identifier = (uri: string) => ({ dataSourceType: 'S3' as const, s3: { uri } });
async function statusOf(uri: string): Promise<string | undefined> {
  const { documentDetails } = await agent.send(
    new GetKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [identifier(uri)] }),
  );
  return documentDetails?.[0]?.status;
}
async function retrieve(owner: string): Promise<string[]> {
  const { retrievalResults } = await agentRuntime.send(
    new RetrieveCommand({
      knowledgeBaseId: ids.knowledgeBaseId,
      retrievalQuery: { text: 'How do I descale the kettle?' },
      retrievalConfiguration: {
        vectorSearchConfiguration: {
          numberOfResults: 5,
          overrideSearchType: 'HYBRID',
          filter: { equals: { key: 'user_id', value: owner } },
        },
      },
    }),
  );
  return (retrievalResults ?? []).map(({ content }) => content?.text ?? '');
}

test('a manual goes from S3 into the knowledge base, is found by its owner alone, and leaves', async () => {
  const uri = await upload('ana', manual('Pour in one litre of water with two spoons of citric acid.'));
  await agent.send(
    new IngestKnowledgeBaseDocumentsCommand({
      ...ids,
      documents: [{ content: { dataSourceType: 'S3', s3: { s3Location: { uri } } } }],
    }),
  );
  await eventually(async () => ((await statusOf(uri)) === 'INDEXED' ? true : undefined));
  const passages = await eventually(async () => {
    const found = await retrieve('ana');
    return found.length > 0 ? found : undefined;
  });
  expect(passages.join()).toContain('citric acid');
  expect(await retrieve('ben')).toEqual([]);
  const { documentDetails } = await agent.send(new ListKnowledgeBaseDocumentsCommand(ids));
  expect(documentDetails?.map((detail) => detail.identifier?.s3?.uri)).toContain(uri);

  await agent.send(new DeleteKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [identifier(uri)] }));
  await eventually(async () => ((await statusOf(uri)) === 'NOT_FOUND' ? true : undefined));
  expect(await retrieve('ana')).toEqual([]);
});

test('an ingestion job takes in what lies in the bucket', async () => {
  await upload('eve', manual('Use vinegar and rinse it twice.'));
  const { ingestionJob } = await agent.send(new StartIngestionJobCommand(ids));
  const ingestionJobId = ingestionJob?.ingestionJobId ?? '';
  await eventually(async () => {
    const { ingestionJob: job } = await agent.send(new GetIngestionJobCommand({ ...ids, ingestionJobId }));
    return job?.status === 'COMPLETE' ? true : undefined;
  });
  const passages = await eventually(async () => {
    const found = await retrieve('eve');
    return found.length > 0 ? found : undefined;
  });
  expect(passages.join()).toContain('vinegar');
});

const question: ConverseCommandInput = {
  modelId,
  messages: [
    {
      role: 'user',
      content: [
        {
          searchResult: {
            source: 's3://manuel-manuals/manuals/ana/kettle.txt',
            title: 'kettle.txt',
            content: [{ text: 'To descale the kettle, pour in one litre of water with two spoons of citric acid.' }],
            citations: { enabled: true },
          },
        },
        { text: 'How do I descale the kettle?' },
      ],
    },
  ],
};

test('the model answers from the passages that it is given, at once or as a stream', async () => {
  const { output, stopReason, usage } = await runtime.send(new ConverseCommand(question));
  const text = JSON.stringify(output?.message?.content);
  expect(text).toContain('citric acid');
  expect([stopReason, (usage?.outputTokens ?? 0) > 0]).toEqual(['end_turn', true]);

  const { stream } = await runtime.send(new ConverseStreamCommand(question));
  let streamed = '';
  const kinds = new Set<string>();
  for await (const event of stream ?? []) {
    for (const kind of Object.keys(event)) kinds.add(kind);
    streamed += event.contentBlockDelta?.delta?.text ?? '';
  }
  expect(streamed).toContain('citric acid');
  expect([...kinds]).toEqual(expect.arrayContaining(['messageStart', 'contentBlockDelta', 'messageStop', 'metadata']));
});

test('a recording in S3 becomes a transcript in S3', async () => {
  const Body = await readFile(new URL('../fixtures/where-is-the-power-button.wav', import.meta.url));
  await s3.send(
    new PutObjectCommand({ Bucket: 'manuel-audio', Key: 'ana/question.wav', Body, ContentType: 'audio/wav' }),
  );
  const start = new StartTranscriptionJobCommand({
    TranscriptionJobName: 'job-1',
    LanguageCode: 'en-US',
    Media: { MediaFileUri: 's3://manuel-audio/ana/question.wav' },
    OutputBucketName: 'manuel-audio',
    OutputKey: 'ana/question.json',
  });
  await transcribe.send(start);
  expect(await refusal(transcribe.send(start))).toMatchObject({ name: 'ConflictException' });
  const job = await eventually(async () => {
    const { TranscriptionJob } = await transcribe.send(
      new GetTranscriptionJobCommand({ TranscriptionJobName: 'job-1' }),
    );
    return TranscriptionJob?.TranscriptionJobStatus === 'IN_PROGRESS' ||
      TranscriptionJob?.TranscriptionJobStatus === 'QUEUED'
      ? undefined
      : TranscriptionJob;
  });
  expect([job.TranscriptionJobStatus, job.FailureReason]).toEqual(['COMPLETED', undefined]);
  const { Body: written } = await s3.send(new GetObjectCommand({ Bucket: 'manuel-audio', Key: 'ana/question.json' }));
  expect(JSON.parse((await written?.transformToString()) ?? '')).toMatchObject({
    results: { transcripts: [{ transcript: 'how do I descale it' }] },
  });
});

test('calls are counted by service and operation, until they are forgotten', async () => {
  await aws.control('DELETE', '/_calls');
  await runtime.send(new ConverseCommand(question));
  await retrieve('ana');
  await retrieve('ana');
  expect(await aws.control('GET', '/_calls')).toEqual({
    'bedrock-runtime': { Converse: 1 },
    'bedrock-agent-runtime': { Retrieve: 2 },
  });
});
