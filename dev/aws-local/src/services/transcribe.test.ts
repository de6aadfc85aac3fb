import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  CreateLanguageModelCommand,
  CreateVocabularyCommand,
  DeleteLanguageModelCommand,
  DeleteTranscriptionJobCommand,
  DeleteVocabularyCommand,
  DescribeLanguageModelCommand,
  GetTranscriptionJobCommand,
  GetVocabularyCommand,
  ListTranscriptionJobsCommand,
  StartTranscriptionJobCommand,
  TranscribeClient,
  UpdateVocabularyCommand,
  type StartTranscriptionJobCommandInput,
  type TranscriptionJob,
} from '@aws-sdk/client-transcribe';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serveService, type ServedService } from '../model/testing/serve-service.ts';
import { createTranscribe, type TranscribeOptions } from './transcribe.ts';

const speech = await readFile(new URL('../../fixtures/where-is-the-power-button.wav', import.meta.url));
const uri = 's3://audio/u1/question.wav';

interface Served extends ServedService {
  readonly transcribe: TranscribeClient;
}

async function serve(options: Partial<TranscribeOptions> = {}): Promise<Served> {
  const service = await serveService((base) => createTranscribe({ ...base, ...options }));
  service.objects.set('audio/u1/question.wav', speech);
  const transcribe = new TranscribeClient(service.client);
  const { close } = service;
  return Object.assign(service, {
    transcribe,
    async close() {
      transcribe.destroy();
      await close();
    },
  });
}

function start(service: Served, input: Partial<StartTranscriptionJobCommandInput> & { TranscriptionJobName: string }) {
  return service.transcribe.send(
    new StartTranscriptionJobCommand({ LanguageCode: 'en-US', Media: { MediaFileUri: uri }, ...input }),
  );
}

async function finished(service: Served, name: string): Promise<TranscriptionJob> {
  for (;;) {
    const { TranscriptionJob: job } = await service.transcribe.send(
      new GetTranscriptionJobCommand({ TranscriptionJobName: name }),
    );
    if (job?.TranscriptionJobStatus === 'COMPLETED' || job?.TranscriptionJobStatus === 'FAILED') return job;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Four seconds of a beep that comes and goes: the decoder takes it for words. */
function beeps(): Buffer {
  const samples = Buffer.alloc(4 * 32_000);
  for (let at = 0; at < samples.length / 2; at += 1) {
    const seconds = at / 16_000;
    samples.writeInt16LE(
      Math.round(6000 * Math.sin(2 * Math.PI * 300 * seconds) * (0.55 + 0.45 * Math.sin(2 * Math.PI * 5 * seconds))),
      at * 2,
    );
  }
  return asWav(samples);
}

/** Samples of 16 bits, 16,000 a second, as a WAV file. */
function asWav(samples: Buffer): Buffer {
  const header = Buffer.from(speech.subarray(0, 44));
  header.writeUInt32LE(36 + samples.length, 4);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

describe('the local decoder', () => {
  let service: Served;
  beforeAll(async () => {
    service = await serve();
  });
  afterAll(() => service.close());

  test('writes what was said to the output bucket, with times and confidences', async () => {
    const started = await start(service, {
      TranscriptionJobName: 'spoken',
      OutputBucketName: 'results',
      OutputKey: 'u1/',
    });
    expect(started.TranscriptionJob).toMatchObject({
      TranscriptionJobName: 'spoken',
      LanguageCode: 'en-US',
      Media: { MediaFileUri: uri },
    });
    expect(['QUEUED', 'IN_PROGRESS']).toContain(started.TranscriptionJob?.TranscriptionJobStatus);
    const job = await finished(service, 'spoken');
    expect(job).toMatchObject({
      TranscriptionJobStatus: 'COMPLETED',
      Transcript: { TranscriptFileUri: `${service.endpoint}/results/u1/spoken.json` },
    });
    expect(job.CompletionTime?.getTime()).toBeGreaterThanOrEqual(job.StartTime?.getTime() ?? Infinity);
    const document = JSON.parse(String(service.objects.get('results/u1/spoken.json')));
    expect(document).toMatchObject({
      jobName: 'spoken',
      status: 'COMPLETED',
      results: { transcripts: [{ transcript: 'where is the power button' }] },
    });
    expect(document.results.items).toHaveLength(5);
    expect(document.results.items[0]).toEqual({
      id: 0,
      type: 'pronunciation',
      start_time: expect.stringMatching(/^\d+\.\d+$/),
      end_time: expect.stringMatching(/^\d+\.\d+$/),
      alternatives: [{ confidence: expect.stringMatching(/^[01]\.\d+$/), content: 'where' }],
    });
  });

  test('gives a signed link where no bucket is named', async () => {
    await start(service, { TranscriptionJobName: 'linked' });
    const { Transcript: transcript } = await finished(service, 'linked');
    const link = transcript?.TranscriptFileUri ?? '';
    expect(await (await fetch(link)).json()).toMatchObject({
      results: { transcripts: [{ transcript: 'where is the power button' }] },
    });
    expect((await fetch(link.replace(/Signature=../, 'Signature=00'))).status).toBe(403);
  });

  test.each([
    ['silence', () => asWav(Buffer.alloc(32_000))],
    ['beeps', beeps],
  ])('hears nothing in %s', async (name, media) => {
    service.objects.set(`audio/${name}.wav`, media());
    await start(service, {
      TranscriptionJobName: name,
      Media: { MediaFileUri: `s3://audio/${name}.wav` },
      OutputBucketName: 'results',
    });
    expect(await finished(service, name)).toMatchObject({ TranscriptionJobStatus: 'COMPLETED' });
    expect(JSON.parse(String(service.objects.get(`results/${name}.json`))).results).toEqual({
      transcripts: [{ transcript: '' }],
      items: [],
    });
  });

  test('fails media that are none, of another format, or of another language', async () => {
    service.objects.set('audio/text.mp3', Buffer.from('this is a text file, and no recording'));
    service.objects.set('audio/broken.flac', Buffer.from(`fLaC${'x'.repeat(500)}`));
    const cases = [
      ['text', { Media: { MediaFileUri: 's3://audio/text.mp3' }, MediaFormat: 'mp3' }, /^Unsupported media format\.$/],
      ['broken', { Media: { MediaFileUri: 's3://audio/broken.flac' } }, /data in your input media file isn't valid/],
      ['mismatch', { MediaFormat: 'mp3' }, /does not match the detected media format/],
      ['german', { LanguageCode: 'de-DE' }, /English only/],
    ] as const;
    for (const [name, input] of cases) await start(service, { TranscriptionJobName: name, ...input });
    for (const [name, , reason] of cases) {
      expect(await finished(service, name)).toMatchObject({
        TranscriptionJobStatus: 'FAILED',
        FailureReason: expect.stringMatching(reason),
      });
    }
  });

  test('lists by status and name, page by page, and deletes', async () => {
    for (const name of ['list-1', 'list-2', 'list-3'])
      await start(service, {
        TranscriptionJobName: name,
        Media: { MediaFileUri: 's3://audio/u1/question.wav' },
        MediaFormat: 'mp3',
      });
    for (const name of ['list-1', 'list-2', 'list-3']) await finished(service, name);
    const ask = { Status: 'FAILED', JobNameContains: 'LIST-', MaxResults: 2 } as const;
    const first = await service.transcribe.send(new ListTranscriptionJobsCommand(ask));
    const second = await service.transcribe.send(
      new ListTranscriptionJobsCommand({ ...ask, NextToken: first.NextToken }),
    );
    expect(
      [...(first.TranscriptionJobSummaries ?? []), ...(second.TranscriptionJobSummaries ?? [])].map(
        (job) => job.TranscriptionJobName,
      ),
    ).toEqual(['list-3', 'list-2', 'list-1']);
    expect(second.NextToken).toBeUndefined();
    await service.transcribe.send(new DeleteTranscriptionJobCommand({ TranscriptionJobName: 'list-1' }));
    await expect(
      service.transcribe.send(new GetTranscriptionJobCommand({ TranscriptionJobName: 'list-1' })),
    ).rejects.toMatchObject({
      name: 'BadRequestException',
      message: expect.stringContaining("couldn't be found"),
    });
  });

  test('refuses what Amazon Transcribe refuses', async () => {
    await start(service, { TranscriptionJobName: 'taken' });
    await expect(start(service, { TranscriptionJobName: 'taken' })).rejects.toMatchObject({
      name: 'ConflictException',
    });
    const refused: Partial<StartTranscriptionJobCommandInput>[] = [
      { TranscriptionJobName: 'with space' },
      { LanguageCode: undefined },
      { IdentifyLanguage: true },
      { Media: { MediaFileUri: 'file:///etc/passwd' } },
      { Media: { MediaFileUri: 's3://audio/missing.wav' } },
      { OutputKey: 'results/' },
      { MediaSampleRateHertz: 10 },
      { Settings: { ShowSpeakerLabels: true, MaxSpeakerLabels: 2 } },
    ];
    for (const [index, input] of refused.entries()) {
      await expect(
        start(service, { ...input, TranscriptionJobName: input.TranscriptionJobName ?? `refused-${index}` }),
      ).rejects.toMatchObject({ name: 'BadRequestException' });
    }
  });
});

test('a job fails with what to install when no decoder is there', async () => {
  const service = await serve({ programPath: '/nonexistent' });
  try {
    await start(service, { TranscriptionJobName: 'none' });
    const job = await finished(service, 'none');
    expect(job.FailureReason).toBe(
      'No speech decoder: install the packages pocketsphinx and ffmpeg (apt-get install pocketsphinx pocketsphinx-en-us ffmpeg) or set SPEECH_URL to an OpenAI-compatible server.',
    );
  } finally {
    await service.close();
  }
});

describe('a speech server', () => {
  let server: Server;
  let answer: () => Promise<{ status: number; body: object }>;
  const received: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      void request.toArray().then(async (chunks) => {
        received.push(`${request.url} ${Buffer.concat(chunks).toString('latin1')}`);
        const { status, body } = await answer();
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // A server that listens on TCP has an address object.
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  test('transcribes, and its refusal fails the job', async () => {
    const service = await serve({ speechUrl: url() });
    try {
      answer = () =>
        Promise.resolve({
          status: 200,
          body: {
            text: 'Where is the button?',
            language: 'english',
            words: [{ word: 'Where', start: 0.1, end: 0.4 }],
            segments: [{ text: ' Where is the button?', start: 0, end: 2, avg_logprob: -0.1 }],
          },
        });
      await start(service, {
        TranscriptionJobName: 'remote',
        LanguageCode: undefined,
        IdentifyLanguage: true,
        LanguageOptions: ['de-DE', 'en-GB'],
        OutputBucketName: 'results',
      });
      expect(await finished(service, 'remote')).toMatchObject({
        TranscriptionJobStatus: 'COMPLETED',
        LanguageCode: 'en-GB',
      });
      expect(JSON.parse(String(service.objects.get('results/remote.json'))).results).toMatchObject({
        language_code: 'en-GB',
        transcripts: [{ transcript: 'Where is the button?' }],
        items: [{ start_time: '0.100', alternatives: [{ confidence: '0.9048', content: 'Where' }] }],
      });
      expect(received.at(-1)).toMatch(/^\/v1\/audio\/transcriptions [^]*name="response_format"\s+verbose_json/);

      answer = () =>
        Promise.resolve({
          status: 200,
          body: {
            text: ' Thank you.',
            segments: [{ text: ' Thank you.', start: 0, end: 2, avg_logprob: -1.4, no_speech_prob: 0.9 }],
          },
        });
      await start(service, { TranscriptionJobName: 'hallucinated', OutputBucketName: 'results' });
      await finished(service, 'hallucinated');
      expect(JSON.parse(String(service.objects.get('results/hallucinated.json'))).results.transcripts).toEqual([
        { transcript: '' },
      ]);

      answer = () => Promise.resolve({ status: 500, body: { error: { message: 'out of memory' } } });
      await start(service, { TranscriptionJobName: 'refused' });
      expect((await finished(service, 'refused')).FailureReason).toContain('SPEECH_URL answered 500: out of memory');
    } finally {
      await service.close();
    }
  });

  test('jobs beyond the limit are refused; those cut off by a restart are finished after it', async () => {
    const service = await serve({ speechUrl: url(), maxActiveJobs: 2, concurrency: 1 });
    try {
      answer = () => new Promise(() => undefined);
      await start(service, { TranscriptionJobName: 'one' });
      await start(service, { TranscriptionJobName: 'two' });
      await expect(start(service, { TranscriptionJobName: 'three' })).rejects.toMatchObject({
        name: 'LimitExceededException',
      });
      await expect(
        service.transcribe.send(new DeleteTranscriptionJobCommand({ TranscriptionJobName: 'two' })),
      ).rejects.toMatchObject({ name: 'BadRequestException' });
      answer = () => Promise.resolve({ status: 200, body: { text: 'hello' } });
      await service.restart();
      expect(await finished(service, 'one')).toMatchObject({ TranscriptionJobStatus: 'COMPLETED' });
      expect(await finished(service, 'two')).toMatchObject({ TranscriptionJobStatus: 'COMPLETED' });
    } finally {
      await service.close();
    }
  });
});

describe('vocabularies and language models', () => {
  const spoken = 's3://audio/u1/descale.wav';
  let service: Served;
  beforeAll(async () => {
    service = await serve();
    service.objects.set(
      'audio/u1/descale.wav',
      await readFile(new URL('../../fixtures/how-do-i-descale-the-kettle.wav', import.meta.url)),
    );
    service.objects.set(
      'texts/u1/kettle.txt',
      Buffer.from(
        'Descaling. Limescale builds up in hard water areas. To descale the kettle, fill the kettle with citric acid. Descale the kettle every month. Unplug the kettle before cleaning.',
      ),
    );
  });
  afterAll(() => service.close());

  async function heard(name: string, input: Partial<StartTranscriptionJobCommandInput>): Promise<string> {
    await start(service, {
      Media: { MediaFileUri: spoken },
      OutputBucketName: 'results',
      ...input,
      TranscriptionJobName: name,
    });
    expect(await finished(service, name)).toMatchObject({ TranscriptionJobStatus: 'COMPLETED' });
    return JSON.parse(String(service.objects.get(`results/${name}.json`))).results.transcripts[0].transcript;
  }

  test('a language model of the manual makes its words heard, also after a restart', async () => {
    expect(await heard('plain', {})).not.toContain('descale');
    const model = { ModelName: 'u1-model', LanguageCode: 'en-US', BaseModelName: 'WideBand' } as const;
    const input = { S3Uri: 's3://texts/u1/', DataAccessRoleArn: 'arn:aws:iam::000000000000:role/transcribe' };
    await service.transcribe.send(new CreateLanguageModelCommand({ ...model, InputDataConfig: input }));
    await expect(
      service.transcribe.send(new CreateLanguageModelCommand({ ...model, InputDataConfig: input })),
    ).rejects.toMatchObject({ name: 'ConflictException' });
    await service.restart();
    const { LanguageModel } = await service.transcribe.send(
      new DescribeLanguageModelCommand({ ModelName: 'u1-model' }),
    );
    expect(LanguageModel).toMatchObject({ ...model, ModelStatus: 'COMPLETED' });
    expect(await heard('with-model', { ModelSettings: { LanguageModelName: 'u1-model' } })).toBe(
      'how do i descale the kettle',
    );
    expect(await readdir(join(service.dataDir, 'bias'))).toHaveLength(2);
    await service.transcribe.send(new DeleteLanguageModelCommand({ ModelName: 'u1-model' }));
    expect(await readdir(join(service.dataDir, 'bias'))).toEqual([]);
    await expect(
      service.transcribe.send(new DescribeLanguageModelCommand({ ModelName: 'u1-model' })),
    ).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  test('a vocabulary of phrases does so too', async () => {
    const vocabulary = { VocabularyName: 'u1-words', LanguageCode: 'en-US' } as const;
    await service.transcribe.send(new CreateVocabularyCommand({ ...vocabulary, Phrases: ['toaster'] }));
    await service.transcribe.send(
      new UpdateVocabularyCommand({ ...vocabulary, Phrases: ['descale-the-kettle', 'kettle', 'descale'] }),
    );
    expect(await service.transcribe.send(new GetVocabularyCommand({ VocabularyName: 'u1-words' }))).toMatchObject({
      VocabularyState: 'READY',
    });
    expect(await heard('with-words', { Settings: { VocabularyName: 'u1-words' } })).toBe('how do i descale the kettle');
    const byLanguage = { 'en-US': { VocabularyName: 'u1-words' } };
    const identified = {
      LanguageCode: undefined,
      IdentifyLanguage: true,
      LanguageOptions: ['de-DE' as const, 'en-US' as const],
      LanguageIdSettings: byLanguage,
    };
    expect(await heard('with-words-identified', identified)).toBe('how do i descale the kettle');
    await service.transcribe.send(new DeleteVocabularyCommand({ VocabularyName: 'u1-words' }));
    await expect(heard('without-words', { Settings: { VocabularyName: 'u1-words' } })).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  test('reads vocabulary files and says what is wrong with them', async () => {
    service.objects.set(
      'texts/table.txt',
      Buffer.from('Phrase\tSoundsLike\tIPA\tDisplayAs\nLos-Angeles\t\t\tLos Angeles\nkettle\t\t\t\n'),
    );
    service.objects.set('texts/wrong.txt', Buffer.from('model 700'));
    for (const [name, state] of [
      ['table', 'READY'],
      ['wrong', 'FAILED'],
    ] as const) {
      const created = await service.transcribe.send(
        new CreateVocabularyCommand({
          VocabularyName: name,
          LanguageCode: 'en-US',
          VocabularyFileUri: `s3://texts/${name}.txt`,
        }),
      );
      expect(created.VocabularyState).toBe('PENDING');
      expect((await service.transcribe.send(new GetVocabularyCommand({ VocabularyName: name }))).VocabularyState).toBe(
        state,
      );
    }
    await expect(
      service.transcribe.send(new CreateVocabularyCommand({ VocabularyName: 'both', LanguageCode: 'en-US' })),
    ).rejects.toMatchObject({ name: 'BadRequestException' });
  });
});
