import autocannon from 'autocannon';
import { createBedrockAgentRuntime, createBedrockRuntime } from '@manuel/aws';
import type { QueryResult } from '@manuel/contracts';
import { loadSettings } from '@manuel/settings';
import { WebSocket } from 'ws';
import { localPassword, demoUser, signIn } from '../../scripts/support/client.ts';
import { type AnswerStack, startAnswerStack } from '../support/answer-stack.ts';
import { directly } from '../support/directly.ts';
import { manyClients } from '../support/many-clients.ts';
import { type JsonPoster, jsonPoster } from '../support/post-json.ts';
import type { Row, Scenario } from '../support/scenario.ts';
import { median, quantile } from '../support/statistics.ts';

const questions = 200;
const warmUp = 50;
const seconds = 3;
const rounds = 3;

/** Safe: 200 answers a result. */
const ask = async (poster: JsonPoster, question: string): Promise<QueryResult> =>
  (await poster.post('/api/query', { question }, 200)) as QueryResult;

/** Each question through the whole system, and then its two upstream calls alone. */
async function uncached(house: AnswerStack, poster: JsonPoster, userId: string): Promise<Row[]> {
  Object.assign(process.env, house.stack.env);
  const settings = loadSettings(house.stack.env);
  const search = createBedrockAgentRuntime({ settings, resilience: directly });
  const model = createBedrockRuntime({ settings, resilience: directly });
  const [ours, theirs, between]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < questions + warmUp; n += 1) {
    const question = `How do I descale machine number ${n}?`;
    const started = performance.now();
    const result = await ask(poster, question);
    const whole = performance.now() - started;
    if (result.degradation !== 'none' || result.from_cache) throw new Error('the answer was not a full, fresh one');
    const again = performance.now();
    const found = await search.retrieve({
      ownerId: userId,
      text: question,
      limit: settings.knowledge_base.max_results * 2,
    });
    const passages = found.map(({ text, filename }) => ({ title: filename, source: filename, blocks: [text] }));
    await model.streamAnswer({ system: 'Answer.', turns: [], question, passages }, () => undefined);
    const upstream = performance.now() - again;
    if (n < warmUp) continue;
    ours.push(whole);
    theirs.push(upstream);
    between.push(whole - upstream);
  }
  search.close();
  model.close();
  return [
    {
      what: 'uncached question, p50',
      ours: median(ours),
      base: median(theirs),
      unit: 'ms',
      against: 'its calls of Bedrock alone',
    },
    {
      what: 'uncached question, p95',
      ours: quantile(ours, 0.95),
      base: quantile(theirs, 0.95),
      unit: 'ms',
      against: 'its calls of Bedrock alone',
    },
    {
      what: 'of which ours, p50',
      ours: median(between),
      base: 15,
      unit: 'ms',
      against: 'the aim',
      aim: { ratio: 1, direction: 'less' },
    },
  ];
}

/** Requests a second of the same question, which the cache answers, and of /livez. */
async function cached(house: AnswerStack, poster: JsonPoster, token: string): Promise<Row[]> {
  const body = JSON.stringify({ question: 'How do I clean the steam wand?' });
  await ask(poster, 'How do I clean the steam wand?');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const load = async (path: string, request: object): Promise<number> => {
    const result = await autocannon({
      url: `${house.stack.url}${path}`,
      connections: manyClients,
      duration: seconds,
      ...request,
    });
    if (result.non2xx > 0) throw new Error(`${path}: ${result.non2xx} refused`);
    return result['2xx'] / result.duration;
  };
  const measured: { ours: number[]; base: number[] } = { ours: [], base: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const base = await load('/livez', {});
    const ours = await load('/api/query', { method: 'POST', headers, body });
    // The first round warms both up.
    if (round === 0) continue;
    measured.base.push(base);
    measured.ours.push(ours);
  }
  return [
    {
      what: 'cached answers a second',
      ours: median(measured.ours),
      base: median(measured.base),
      unit: '/s',
      against: '/livez',
      aim: { ratio: 0.4, direction: 'more' },
    },
  ];
}

/** From the moment a piece of an answer is on the user's stream (Redis' clock, whole milliseconds) to the WebSocket client. */
async function tokens(house: AnswerStack, poster: JsonPoster, token: string): Promise<Row[]> {
  const socket = new WebSocket(`${house.stack.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const times: number[] = [];
  const first = new Set<string>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; id?: string; job_id?: string };
    if (message.type !== 'token' || !message.job_id || first.has(message.job_id)) return;
    first.add(message.job_id);
    times.push(Date.now() - Number(message.id?.split('-')[0]));
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  for (let n = 0; n < 60; n += 1) await ask(poster, `How long must I descale machine ${n}?`);
  socket.close();
  const of = (share: number): number => Math.max(0.5, quantile(times, share));
  return [
    {
      what: 'first piece of an answer to the client, p50',
      ours: of(0.5),
      base: 20,
      unit: 'ms',
      against: 'the aim',
      aim: { ratio: 1, direction: 'less' },
    },
  ];
}

export const answers: Scenario = {
  name: 'answers',
  title: 'Answers through the whole system',
  async run() {
    const house = await startAnswerStack();
    try {
      const config = (await (await fetch(`${house.stack.url}/config.json`)).json()) as Parameters<typeof signIn>[0];
      const token = await signIn(config, demoUser, localPassword);
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
      const poster = jsonPoster(house.stack.url, { authorization: `Bearer ${token}`, prefer: 'wait=30' });
      const rows = [
        ...(await uncached(house, poster, claims.sub)),
        ...(await cached(house, poster, token)),
        ...(await tokens(house, poster, token)),
      ];
      poster.close();
      return rows;
    } finally {
      await house.close();
    }
  },
};
