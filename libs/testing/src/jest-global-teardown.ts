import { run } from './jest-global-setup.ts';

export default async function teardown(): Promise<void> {
  await run.manuelRunRedis?.close();
}
