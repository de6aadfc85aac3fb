import { AwsError } from '../../service.ts';

export interface ServerTarget {
  /** Base URL, with or without `/v1`. */
  readonly url: string;
  readonly apiKey?: string;
  /** The longest silence, in milliseconds: before the answer begins, and between two pieces of it. */
  readonly timeoutMs: number;
  /** The setting to name in an error, e.g. LLM_URL. */
  readonly setting: string;
}

export interface ServerCall {
  readonly response: Response;
  /** Restarts the clock: the server has just said something. */
  heard(): void;
  /** Why a read of the body failed, as AWS would put it. */
  explain(error: unknown): unknown;
  /** Stops the clock. */
  end(): void;
}

/**
 * Posts to an OpenAI-compatible server and maps its refusals to the errors of Bedrock's runtime.
 * @param path below `/v1`, e.g. `/chat/completions`
 */
export async function callServer(
  target: ServerTarget,
  path: string,
  body: string | FormData,
  signal: AbortSignal,
): Promise<ServerCall> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), target.timeoutMs);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), target.timeoutMs);
  };
  const end = () => clearTimeout(timer);
  const explain = (error: unknown): unknown => {
    if (signal.aborted || error instanceof AwsError) return error;
    if (silence.signal.aborted) {
      return new AwsError(
        'ModelTimeoutException',
        `The server at ${target.setting} said nothing for ${target.timeoutMs} ms. Try again or choose a faster model.`,
        408,
      );
    }
    return new AwsError(
      'ServiceUnavailableException',
      `The server at ${target.setting} cannot be reached. Check that it runs and that ${target.setting} is right.`,
      503,
    );
  };
  try {
    const response = await fetch(endpoint(target.url, path), {
      method: 'POST',
      headers: {
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
        ...(target.apiKey === undefined ? {} : { authorization: `Bearer ${target.apiKey}` }),
      },
      body,
      signal: AbortSignal.any([signal, silence.signal]),
    });
    heard();
    if (!response.ok) throw refusal(response.status, await readReason(response), target);
    return { response, heard, explain, end };
  } catch (error) {
    end();
    throw explain(error);
  }
}

function endpoint(base: string, path: string): string {
  const trimmed = base.replace(/\/+$/, '');
  return `${/\/v\d+$/.test(trimmed) ? trimmed : `${trimmed}/v1`}${path}`;
}

async function readReason(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 2000);
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (message ?? text).slice(0, 300);
}

function refusal(status: number, reason: string, target: ServerTarget): AwsError {
  const said = `The server at ${target.setting} answered ${status}: ${reason}`;
  if (status === 400 || status === 413 || status === 422) return new AwsError('ValidationException', said, 400);
  if (status === 401 || status === 403) return new AwsError('AccessDeniedException', `${said} Check the API key.`, 403);
  if (status === 404)
    return new AwsError('ResourceNotFoundException', `${said} Check the model's name and the URL.`, 404);
  if (status === 408 || status === 504) return new AwsError('ModelTimeoutException', said, 408);
  if (status === 429) return new AwsError('ThrottlingException', said, 429);
  if (status === 503) return new AwsError('ServiceUnavailableException', said, 503);
  return new AwsError('ModelErrorException', said, 424);
}
