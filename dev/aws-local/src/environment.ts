import { join } from 'node:path';
import type { AwsLocalOptions } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const defaultPort = '4566';

/** Options from environment variables; README.md lists them. Throws an Error that names the wrong variable. */
export function readEnvironment(env: Environment): AwsLocalOptions {
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const urls = (names: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(names).flatMap(([option, name]) => {
        const text = value(name);
        if (text !== undefined && name.endsWith('_URL')) checkUrl(name, text);
        return text === undefined ? [] : [[option, text]];
      }),
    );
  const issuer = value('AWS_LOCAL_ISSUER');
  if (issuer !== undefined) checkUrl('AWS_LOCAL_ISSUER', issuer);
  return {
    dir: join(value('LOCAL_DIR') ?? '.local', 'aws'),
    port: readPort(value('AWS_LOCAL_PORT') ?? defaultPort),
    host: value('AWS_LOCAL_HOST') ?? '127.0.0.1',
    region: value('AWS_REGION') ?? value('AWS_DEFAULT_REGION') ?? 'eu-west-1',
    credentials: {
      accessKeyId: value('AWS_ACCESS_KEY_ID') ?? 'local',
      secretAccessKey: value('AWS_SECRET_ACCESS_KEY') ?? 'local',
    },
    ...(issuer === undefined ? {} : { issuerBase: issuer.replace(/\/$/, '') }),
    bedrockRuntime: urls({
      llmUrl: 'LLM_URL',
      llmApiKey: 'LLM_API_KEY',
      llmModel: 'LLM_MODEL',
      embeddingsUrl: 'EMBEDDINGS_URL',
      embeddingsApiKey: 'EMBEDDINGS_API_KEY',
      embeddingsModel: 'EMBEDDINGS_MODEL',
    }),
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`AWS_LOCAL_PORT is ${text}, but must be a port from 0 to 65535`);
  return port;
}

function checkUrl(name: string, text: string): void {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new Error(`${name} is ${text}, but must be an http or https URL`);
}
