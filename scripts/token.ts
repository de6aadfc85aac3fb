// `npm run token -- EMAIL`: an access token of a local user, and nothing else.
import { awsLocalConfig, stackOptionsFromEnvironment } from './support/stack.ts';
import { demoUser, localPassword, signIn } from './support/client.ts';

async function main(): Promise<void> {
  const email = process.argv[2] ?? demoUser;
  const { awsLocalPort } = stackOptionsFromEnvironment();
  const endpoint = `http://127.0.0.1:${awsLocalPort}`;
  const config = await awsLocalConfig(endpoint).catch((cause: unknown) => {
    throw new Error(`Nobody answers at ${endpoint}. Start Manuel with: npm start`, { cause });
  });
  const token = await signIn(
    {
      region: config.region,
      user_pool_id: config.user_pool_id,
      client_id: config.client_id,
      cognito_endpoint: endpoint,
    },
    email,
    localPassword,
  );
  process.stdout.write(`${token}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
