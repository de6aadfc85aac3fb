import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { toneWav } from '../test-support/wav.ts';
import { startVoiceStack, type VoiceStack } from '../test-support/voice-stack.ts';

let stack: VoiceStack;
let sqs: Server;
const messages: string[] = [];
const deleted: string[] = [];

/** As much of SQS as is used, in its own protocol (AWS JSON 1.0). */
function startSqs(): Server {
  return createServer((request, response) => {
    const answer = async (): Promise<object> => {
      const input = JSON.parse(await text(request)) as { Entries?: { ReceiptHandle: string }[] };
      if (request.headers['x-amz-target'] === 'AmazonSQS.DeleteMessageBatch') {
        deleted.push(...(input.Entries ?? []).map((entry) => entry.ReceiptHandle));
        return { Successful: [], Failed: [] };
      }
      await waitFor(() => messages.length > 0 || request.destroyed, { timeoutMs: 20_000 });
      return {
        Messages: messages.splice(0, 10).map((Body) => {
          return { Body, ReceiptHandle: `receipt of ${Body}`, MD5OfBody: createHash('md5').update(Body).digest('hex') };
        }),
      };
    };
    answer().then(
      (body) => response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body)),
      () => response.destroy(),
    );
  });
}

beforeAll(async () => {
  sqs = startSqs();
  sqs.listen(0, '127.0.0.1');
  await once(sqs, 'listening');
  // A listening TCP server always has an AddressInfo.
  const endpoint = `http://127.0.0.1:${(sqs.address() as AddressInfo).port}`;
  process.env['AWS_ENDPOINT_URL_SQS'] = endpoint;
  stack = await startVoiceStack(process.env, {
    // Nobody looks within the test's time unless he is woken.
    overrides: {
      transcribe: {
        completion_queue_url: `${endpoint}/000000000000/completions`,
        poll_initial_ms: 60_000,
        poll_max_ms: 60_000,
      },
    },
  });
});
afterAll(async () => {
  await stack.close();
  delete process.env['AWS_ENDPOINT_URL_SQS'];
  sqs.closeAllConnections();
  sqs.close();
  await once(sqs, 'close');
});

test('an event of Transcribe wakes the job that waits for it; other messages are dropped', async () => {
  const id = await stack.submit('user', await stack.store('user', toneWav(0.3, 300)));
  const name = `manuel-${id}`;
  await waitFor(async () => (await stack.context.transcribe.get(name))?.status === 'completed', {
    what: 'the transcription',
  });
  const event = (TranscriptionJobName: string, TranscriptionJobStatus = 'COMPLETED'): string =>
    JSON.stringify({ source: 'aws.transcribe', detail: { TranscriptionJobName, TranscriptionJobStatus } });
  const foreign = ['no json', '{}', event('somebody-elses'), event('manuel-nonsense'), event(name, 'IN_PROGRESS')];
  messages.push(...foreign, event(name), event(name));
  expect(await stack.ended('user', id)).toMatchObject({ status: 'completed' });
  await waitFor(() => deleted.length === foreign.length + 2);
});
