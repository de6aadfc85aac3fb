import { join } from 'node:path';
import { startAwsLocal } from './start.ts';

/** Reads the environment, starts, and stops on SIGTERM or SIGINT. README.md names the variables. */
const { env } = process;
const awsLocal = await startAwsLocal({
  dir: join(env['LOCAL_DIR'] ?? '.local', 'aws'),
  port: portOf(env['AWS_LOCAL_PORT']),
  host: env['AWS_LOCAL_HOST'] ?? '127.0.0.1',
  region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'eu-west-1',
  credentials: {
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? 'local',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? 'local',
  },
  ...(env['AWS_LOCAL_ISSUER'] === undefined ? {} : { issuerBase: env['AWS_LOCAL_ISSUER'].replace(/\/$/, '') }),
  log: (message, fields) =>
    console.error(JSON.stringify({ timestamp: new Date().toISOString(), service: 'aws-local', message, ...fields })),
});
console.log(`aws-local ready ${awsLocal.endpoint}`);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void awsLocal.close();
  });
}

function portOf(text: string | undefined): number {
  const port = Number(text ?? '4566');
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  console.error(`AWS_LOCAL_PORT is ${text}, but must be a port from 0 to 65535`);
  process.exit(2);
}
