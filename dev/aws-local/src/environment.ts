import { join } from 'node:path';
import type { AwsLocalOptions } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const defaultPort = '4566';
const urls = new Set(['AWS_LOCAL_ENDPOINT', 'AWS_LOCAL_ISSUER', 'LLM_URL', 'EMBEDDINGS_URL', 'SPEECH_URL']);

/** Options from environment variables; README.md lists them. Throws an Error that names the wrong variable. */
export function readEnvironment(env: Environment): AwsLocalOptions {
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const named = (names: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(names).flatMap(([option, name]) => {
        const text = value(name);
        if (text === undefined) return [];
        return [[option, urls.has(name) ? readUrl(name, text) : text]];
      }),
    );
  return {
    dir: join(value('LOCAL_DIR') ?? '.local', 'aws'),
    port: readPort(value('AWS_LOCAL_PORT') ?? defaultPort),
    host: value('AWS_LOCAL_HOST') ?? '127.0.0.1',
    region: value('AWS_REGION') ?? value('AWS_DEFAULT_REGION') ?? 'eu-west-1',
    credentials: {
      accessKeyId: value('AWS_ACCESS_KEY_ID') ?? 'local',
      secretAccessKey: value('AWS_SECRET_ACCESS_KEY') ?? 'local',
    },
    ...named({ publicEndpoint: 'AWS_LOCAL_ENDPOINT', issuerBase: 'AWS_LOCAL_ISSUER' }),
    bedrockRuntime: named({
      llmUrl: 'LLM_URL',
      llmApiKey: 'LLM_API_KEY',
      llmModel: 'LLM_MODEL',
      embeddingsUrl: 'EMBEDDINGS_URL',
      embeddingsApiKey: 'EMBEDDINGS_API_KEY',
      embeddingsModel: 'EMBEDDINGS_MODEL',
    }),
    knowledgeBase: named({
      embeddingsUrl: 'EMBEDDINGS_URL',
      embeddingsApiKey: 'EMBEDDINGS_API_KEY',
      embeddingsModel: 'EMBEDDINGS_MODEL',
    }),
    transcribe: named({
      speechUrl: 'SPEECH_URL',
      speechApiKey: 'SPEECH_API_KEY',
      speechModel: 'SPEECH_MODEL',
      programPath: 'PATH',
    }),
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`AWS_LOCAL_PORT is ${text}, but must be a port from 0 to 65535`);
  return port;
}

/** Without a slash at its end. */
function readUrl(name: string, text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new Error(`${name} is ${text}, but must be an http or https URL`);
  return text.replace(/\/+$/, '');
}
