import { readEnvironment } from './environment.ts';
import { startAwsLocal } from './start.ts';
import type { AwsLocal } from './start.ts';

/** Starts with what the environment says; stops on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const awsLocal = await startAwsLocal({ ...readEnvironment(process.env), log });
  console.log(`aws-local ready ${awsLocal.endpoint}`);
  process.once('SIGTERM', () => stop(awsLocal));
  process.once('SIGINT', () => stop(awsLocal));
}

function stop(awsLocal: AwsLocal): void {
  awsLocal.close().catch(fail);
}

function fail(error: unknown): void {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  console.error(`aws-local: ${error instanceof Error ? error.message : String(error)}${cause}`);
  process.exitCode = 1;
}

/** One JSON line on standard error. */
function log(message: string, fields?: Record<string, unknown>): void {
  console.error(JSON.stringify({ timestamp: new Date().toISOString(), service: 'aws-local', message, ...fields }));
}

await main().catch(fail);
