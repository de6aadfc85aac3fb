import type { KnowledgeBaseOptions } from './knowledge-base/index.ts';
import type { AwsServiceOptions } from './service.ts';
import type { BedrockRuntimeOptions } from './services/bedrock-runtime.ts';
import type { TranscribeOptions } from './services/transcribe.ts';

/** What a service may be told beyond what all of them are told. */
type Own<T> = Omit<T, keyof AwsServiceOptions>;

export interface AwsLocalOptions {
  /** Where everything is kept; made when absent. One process at a time. */
  readonly dir: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** 127.0.0.1 unless set. */
  readonly host?: string;
  /** eu-west-1 unless set. */
  readonly region?: string;
  /** Where clients reach this process, for the links that it hands out; `http://<host>:<port>` unless set. */
  readonly publicEndpoint?: string;
  /** What tokens name as issuer, before `/<pool id>`; the public endpoint unless set. */
  readonly issuerBase?: string;
  /** With these S3 links are signed; `local` and `local` unless set. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How often DynamoDB deletes expired items and S3 expired objects; a minute unless set. */
  readonly sweepEveryMs?: number;
  /** What time it is for the lifecycle of buckets, in milliseconds since 1970; the real time unless set. */
  readonly now?: () => number;
  readonly bedrockRuntime?: Own<BedrockRuntimeOptions>;
  readonly transcribe?: Own<TranscribeOptions>;
  readonly knowledgeBase?: Own<KnowledgeBaseOptions>;
  /** How long running requests may take to end when it is closed, two seconds unless set. */
  readonly closeGraceMs?: number;
  log?(message: string, fields?: Record<string, unknown>): void;
}
