import { expect, test } from '@jest/globals';
import { readEnvironment } from './environment.ts';

test('without any variable, everything has its default', () => {
  expect(readEnvironment({})).toMatchObject({
    dir: '.local/aws',
    port: 4566,
    host: '127.0.0.1',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    bedrockRuntime: {},
    transcribe: {},
  });
});

test('variables reach the service that they are about; empty ones count as absent', () => {
  const options = readEnvironment({
    LOCAL_DIR: '/data',
    AWS_LOCAL_PORT: '0',
    AWS_LOCAL_HOST: '0.0.0.0',
    AWS_LOCAL_ISSUER: 'http://localhost:4566/',
    AWS_LOCAL_ENDPOINT: '',
    AWS_REGION: 'eu-central-1',
    LLM_URL: 'http://127.0.0.1:11434/v1',
    LLM_MODEL: 'llama',
    SPEECH_URL: 'http://127.0.0.1:8000',
  });
  expect(options).toMatchObject({
    dir: '/data/aws',
    port: 0,
    host: '0.0.0.0',
    issuerBase: 'http://localhost:4566',
    region: 'eu-central-1',
  });
  expect(options.publicEndpoint).toBeUndefined();
  expect(options.bedrockRuntime).toEqual({ llmUrl: 'http://127.0.0.1:11434/v1', llmModel: 'llama' });
  expect(options.transcribe).toEqual({ speechUrl: 'http://127.0.0.1:8000' });
});

test.each([
  [{ AWS_LOCAL_PORT: '70000' }, 'AWS_LOCAL_PORT is 70000'],
  [{ AWS_LOCAL_PORT: 'x' }, 'AWS_LOCAL_PORT is x'],
  [{ LLM_URL: 'localhost:11434' }, 'LLM_URL is localhost:11434'],
  [{ AWS_LOCAL_ISSUER: 'here' }, 'AWS_LOCAL_ISSUER is here'],
])('%j is refused by name', (environment, message) => {
  expect(() => readEnvironment(environment)).toThrow(message);
});
