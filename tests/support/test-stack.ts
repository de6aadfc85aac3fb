import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@manuel/testing';
import { startStack, type Stack } from '../../scripts/support/stack.ts';

export interface TestStack {
  readonly stack: Stack;
  readonly localDir: string;
  /** For scripts that look for the running stack. */
  readonly ports: Readonly<Record<string, string>>;
  /** Stops all and starts it again on the same ports and folder; the new stack is in `stack`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The real processes on free ports, with a folder of their own. */
export async function startTestStack(env: Readonly<Record<string, string>> = {}): Promise<TestStack> {
  const localDir = await mkdtemp(join(tmpdir(), 'manuel-e2e-'));
  const [port, awsLocalPort, redisPort] = [await freePort(), await freePort(), await freePort()];
  const start = (): Promise<Stack> => startStack({ port, awsLocalPort, redisPort, localDir, env });
  let stack = await start();
  return {
    get stack() {
      return stack;
    },
    localDir,
    ports: {
      PORT: String(port),
      AWS_LOCAL_PORT: String(awsLocalPort),
      REDIS_PORT: String(redisPort),
      LOCAL_DIR: localDir,
    },
    async restart() {
      await stack.stop();
      stack = await start();
    },
    async close() {
      await stack.stop();
      await rm(localDir, { recursive: true, force: true });
    },
  };
}
