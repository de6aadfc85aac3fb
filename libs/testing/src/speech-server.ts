import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An OpenAI-compatible speech server that hears what the test says it hears. */
export interface SpeechServer {
  readonly url: string;
  /** What the next recordings say. */
  text: string;
  /** How many recordings it was sent. */
  readonly heard: number;
  /** From now on no answer is given until the returned function is called. */
  hold(): () => void;
  close(): Promise<void>;
}

export async function startSpeechServer(): Promise<SpeechServer> {
  let gate: Promise<void> = Promise.resolve();
  let open: () => void = () => undefined;
  let heard = 0;
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      await buffer(request);
      heard += 1;
      await gate;
      const words = speech.text.split(' ').filter((word) => word !== '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          text: speech.text,
          language: 'english',
          words: words.map((word, index) => ({ word, start: index * 0.1, end: index * 0.1 + 0.08, probability: 0.9 })),
        }),
      );
    };
    answer().catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const speech: SpeechServer = {
    // A listening TCP server always has an AddressInfo.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: 'how do I descale it',
    get heard() {
      return heard;
    },
    hold() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      open = held.resolve;
      return held.resolve;
    },
    async close() {
      open();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return speech;
}
