import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import type {
  ClientConfig,
  IngestResult,
  JobView,
  Problem,
  QueryResult,
  UploadView,
  UserEvent,
} from '@manuel/contracts';

/** A problem the service answered, as an error with its own words. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(
      [
        problem.detail || problem.title,
        ...(problem.errors ?? []).map((field) => `  ${field.path}: ${field.message}`),
      ].join('\n'),
    );
    this.problem = problem;
  }
}

/** InitiateAuth with a password against Cognito, local or AWS's. The access token. */
export async function signIn(config: ClientConfig, email: string, password: string): Promise<string> {
  const endpoint = config.cognito_endpoint ?? `https://cognito-idp.${config.region}.amazonaws.com`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
    },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: config.client_id,
      AuthParameters: { USERNAME: email, PASSWORD: password },
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await response.json()) as { AuthenticationResult?: { AccessToken?: string }; message?: string };
  const token = body.AuthenticationResult?.AccessToken;
  if (!token) throw new Error(`Cannot sign in as ${email}: ${body.message ?? `status ${response.status}`}`);
  return token;
}

export const localPassword = 'Manuel-demo-1';
export const demoUser = 'demo@example.com';

const typeOfExtension: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.txt': 'text/plain',
  '.md': 'text/markdown',
  '.csv': 'text/csv',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/x-m4a',
  '.mp4': 'audio/mp4',
  '.flac': 'audio/flac',
  '.ogg': 'audio/ogg',
  '.oga': 'audio/ogg',
  '.webm': 'audio/webm',
  '.amr': 'audio/amr',
};

function contentTypeOf(path: string): string {
  const type = typeOfExtension[extname(path).toLowerCase()];
  if (!type) throw new Error(`${path}: no known type; allowed: ${Object.keys(typeOfExtension).join(' ')}`);
  return type;
}

/** A client of the gateway's HTTP API, as an app would be one. */
export class Client {
  readonly url: string;
  /** The access token, for what is no HTTP call. */
  readonly token: string;

  private constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  static withToken(url: string, token: string): Client {
    return new Client(url, token);
  }

  static async signedIn(url: string, email: string, password = localPassword): Promise<Client> {
    const response = await fetch(`${url}/config.json`, { signal: AbortSignal.timeout(5000) }).catch(
      (cause: unknown) => {
        throw new Error(`Nobody answers at ${url}. Start Manuel with: npm start`, { cause });
      },
    );
    return new Client(url, await signIn((await response.json()) as ClientConfig, email, password));
  }

  /** The raw response; a token and JSON headers are added. */
  async fetch(path: string, options: RequestInit & { json?: unknown } = {}): Promise<Response> {
    const { json, headers, ...rest } = options;
    return fetch(`${this.url}${path}`, {
      ...rest,
      signal: rest.signal ?? AbortSignal.timeout(60_000),
      ...(json === undefined ? {} : { body: JSON.stringify(json), method: rest.method ?? 'POST' }),
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(headers as Record<string, string> | undefined),
      },
    });
  }

  /** The parsed body; throws ProblemError for a status of 400 and above. */
  async call<T>(path: string, options: RequestInit & { json?: unknown } = {}): Promise<T> {
    const response = await this.fetch(path, options);
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      if (typeof body === 'object' && body !== null && 'code' in body) throw new ProblemError(body as Problem);
      throw new Error(`${path} answered ${response.status}`);
    }
    return body as T;
  }

  /** A presigned upload of a file: the upload's id and key. */
  async upload(kind: 'audio' | 'manual', path: string): Promise<UploadView> {
    const { size } = await stat(path);
    const upload = await this.call<UploadView>('/api/uploads', {
      json: { kind, content_type: contentTypeOf(path), size, filename: basename(path) },
    });
    const sent = await fetch(upload.url, {
      method: upload.method,
      headers: { ...upload.headers, 'content-length': String(size) },
      body: Readable.toWeb(createReadStream(path)),
      duplex: 'half',
    });
    if (!sent.ok) throw new Error(`Uploading ${path} failed: ${sent.status} ${await sent.text()}`);
    return upload;
  }

  /** Uploads and ingests a manual; resolves with the accepted job. */
  async addManual(path: string): Promise<JobView> {
    const upload = await this.upload('manual', path);
    return this.call<JobView>('/api/manuals/upload', {
      json: { upload_id: upload.upload_id, filename: basename(path) },
    });
  }

  async ask(body: Record<string, unknown>): Promise<JobView | QueryResult> {
    return this.call('/api/query', { json: body });
  }

  async askAloud(path: string, body: Record<string, unknown> = {}): Promise<JobView> {
    const audio = (await readFile(path)).toString('base64');
    return this.call('/api/voice', { json: { audio_data: audio, content_type: contentTypeOf(path), ...body } });
  }

  async job(id: string): Promise<JobView> {
    return this.call(`/api/jobs/${id}`);
  }

  /** Follows a job's events until it ends; the finished job. Re-reads the job when the stream breaks. */
  async follow(id: string, onEvent: (event: UserEvent) => void = () => undefined): Promise<JobView> {
    let lastEventId: string | undefined;
    for (;;) {
      const response = await this.fetch(`/api/jobs/${id}/events`, {
        headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
        signal: AbortSignal.timeout(3_600_000),
      });
      if (!response.ok || !response.body) throw new ProblemError((await response.json()) as Problem);
      const parser = createParser({
        onEvent: (event) => {
          lastEventId = event.id ?? lastEventId;
          if (event.event === undefined || event.event === 'message') return;
          const data = JSON.parse(event.data) as Record<string, unknown>;
          onEvent({ type: event.event, ...data } as UserEvent);
        },
      });
      const decoder = new TextDecoder();
      for await (const chunk of response.body) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      const job = await this.job(id);
      if (!['queued', 'active'].includes(job.status)) return job;
    }
  }
}

export type { IngestResult, JobView, QueryResult };
