import { readEnvironment } from './environment.ts';
import { startAwsLocal } from './start.ts';

/** Starts with what the environment says; runs until SIGTERM or SIGINT. A second signal ends it at once. */
async function main(): Promise<void> {
  const asked = Promise.withResolvers<void>();
  process.once('SIGTERM', () => asked.resolve());
  process.once('SIGINT', () => asked.resolve());
  const awsLocal = await startAwsLocal({ ...readEnvironment(process.env), log });
  console.log(`aws-local ready ${awsLocal.endpoint}`);
  await asked.promise;
  await awsLocal.close();
}

/** One JSON line on standard error. */
function log(message: string, fields?: Record<string, unknown>): void {
  console.error(JSON.stringify({ timestamp: new Date().toISOString(), service: 'aws-local', message, ...fields }));
}

try {
  await main();
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  console.error(`aws-local: ${error instanceof Error ? error.message : String(error)}${cause}`);
  process.exitCode = 1;
}
