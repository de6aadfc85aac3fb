import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@manuel/testing';
import { Client, demoUser } from '../../scripts/support/client.ts';
import { root } from '../../scripts/support/child.ts';
import { startStack, type Stack } from '../../scripts/support/stack.ts';

export interface AnswerStack {
  readonly stack: Stack;
  readonly client: Client;
  /** Calls of the model and the knowledge base since the last look. */
  upstreamCalls(): Promise<number>;
  close(): Promise<void>;
}

const plenty = '1000000';

/** The whole system as processes, with the example manual in it and limits that no measurement meets. */
export async function startAnswerStack(): Promise<AnswerStack> {
  const localDir = await mkdtemp(join(tmpdir(), 'manuel-bench-'));
  const [port, awsLocalPort, redisPort] = [await freePort(), await freePort(), await freePort()];
  const env = { RATE_LIMIT_REQUESTS: plenty, QUOTA_DAILY_LIMIT: plenty, QUOTA_MONTHLY_LIMIT: plenty };
  const stack = await startStack({ port, awsLocalPort, redisPort, localDir, env });
  const client = await Client.signedIn(stack.url, demoUser);
  const job = await client.addManual(join(root, 'docs', 'examples', 'espresso-machine.pdf'));
  const ended = await client.follow(job.id);
  if (ended.status !== 'completed') throw new Error(`The manual was not ingested: ${ended.error?.detail}`);
  return {
    stack,
    client,
    async upstreamCalls() {
      const calls = (await (await fetch(`${stack.awsEndpoint}/_calls`)).json()) as Record<
        string,
        Record<string, number>
      >;
      await fetch(`${stack.awsEndpoint}/_calls`, { method: 'DELETE' });
      const of = (service: string): number => Object.values(calls[service] ?? {}).reduce((sum, n) => sum + n, 0);
      return of('bedrock-runtime') + of('bedrock-agent-runtime');
    },
    async close() {
      await stack.stop();
      await rm(localDir, { recursive: true, force: true });
    },
  };
}
