import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAwsLocal } from '../start.ts';
import type { AwsLocal, AwsLocalOptions } from '../start.ts';

export interface TestAws extends AwsLocal {
  readonly dir: string;
  /** For the constructor of any SDK client. One attempt only, so that a refusal is seen as it is. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly maxAttempts: number;
  };
  /** A request to the control paths; answers the JSON body, undefined when there is none. */
  control(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** Starts aws-local in this process, in `dir` or a temporary folder, on a free port. */
export async function startTestAws(options: Partial<AwsLocalOptions> = {}): Promise<TestAws> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'aws-local-')));
  const local = await startAwsLocal({ ...options, dir });
  const close = async (): Promise<void> => {
    await local.close();
    if (options.dir === undefined) await rm(dir, { recursive: true });
  };
  return {
    ...local,
    dir,
    client: {
      endpoint: local.endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    },
    async control(method, path, body) {
      const response = await fetch(`${local.endpoint}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What a call is refused with: the SDK's error, as far as a test looks at it. Fails when the call succeeds. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ name: string; status: number | undefined; message: string }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const metadata: unknown = Reflect.get(error, '$metadata');
    const status: unknown = Reflect.get(Object(metadata), 'httpStatusCode');
    return { name: error.name, status: typeof status === 'number' ? status : undefined, message: error.message };
  }
  throw new Error('the call was to be refused, but succeeded');
}
