import { jobClasses, personas, queueNames, retryPolicyNames } from '@manuel/contracts';
import { z } from 'zod';

/**
 * Every setting, with its range and one line of description. Defaults live in config/*.json, not here.
 * A leaf's environment variable is its path in upper case: `quota.daily_limit` -> `QUOTA_DAILY_LIMIT`.
 */
const count = (description: string, max = 1_000_000_000) => z.number().int().min(0).max(max).describe(description);
const positive = (description: string, max = 1_000_000_000) => z.number().int().min(1).max(max).describe(description);
const text = (description: string) => z.string().describe(description);
const flag = (description: string) => z.boolean().describe(description);
const ratio = (description: string) => z.number().min(0).max(1).describe(description);
const list = (description: string) => z.array(z.string().min(1)).describe(description);

export const retryPolicySchema = z.object({
  strategy: z
    .enum(['exponential', 'linear', 'fixed', 'jittered'])
    .describe('How the delay grows from one try to the next'),
  max_retries: count('Tries after the first one', 20),
  base_delay_ms: count('First delay, milliseconds'),
  max_delay_ms: count('Longest delay, milliseconds'),
  jitter: flag('Spread delays at random, so that clients do not come back all at once'),
});
export type RetryPolicySettings = z.infer<typeof retryPolicySchema>;

const retry = z.object(
  Object.fromEntries(retryPolicyNames.map((name) => [name, retryPolicySchema])) as Record<
    (typeof retryPolicyNames)[number],
    typeof retryPolicySchema
  >,
);

const cacheType = z.object({
  ttl_s: positive('Seconds an entry lives'),
  max_size: positive('Entries held in the memory of one process'),
});

const threshold = (unit: string) =>
  z.object({
    warning: z.number().min(0).describe(`Warn from here on, ${unit}`),
    critical: z.number().min(0).describe(`Critical from here on, ${unit}`),
  });

const persona = z.object({
  instruction: text('Tone, given to the model'),
  no_answer: text('Said when no passage answers the question'),
  no_manuals: text('Said to a user who has no manual yet'),
  unavailable: text('Said when neither search nor model can be reached'),
});

export const settingsSchema = z.object({
  region: text('AWS region'),
  models: z.object({
    text_model_id: text('Bedrock model that writes the answers'),
    embedding_model_id: text('Bedrock model of the knowledge base’s vectors'),
    inference_profile_arn: text('Inference profile used in place of the model id; empty: none'),
    max_output_tokens: positive('Longest answer, tokens', 100_000),
    temperature: ratio('Sampling temperature'),
    first_token_timeout_ms: positive('Longest wait for an answer to begin, milliseconds; then it is tried again'),
    guardrail_id: text('Bedrock guardrail; empty: none'),
    guardrail_version: text('Version of the guardrail'),
    citations: z
      .enum(['auto', 'native', 'markers'])
      .describe(
        'Citations by the model’s own search-result blocks, by parsed [n] markers, or whichever the model supports',
      ),
  }),
  knowledge_base: z.object({
    id: text('Bedrock knowledge base'),
    data_source_id: text('Its S3 data source'),
    search_type: z.enum(['HYBRID', 'SEMANTIC']).describe('How the knowledge base searches'),
    max_results: positive('Passages asked for a question', 100),
    max_passages_per_manual: positive('Passages one manual may contribute', 100),
    min_score: ratio('Passages below are not given to the model'),
  }),
  storage: z.object({
    manuals_bucket: text('S3 bucket of the manuals'),
    manuals_prefix: text('Key prefix of the manuals'),
    uploads_prefix: text('Key prefix, in the bucket of the manuals, of uploads that are not checked yet'),
    audio_bucket: text('S3 bucket of recordings, emptied by a lifecycle rule'),
    audio_prefix: text('Key prefix of recordings'),
    kms_key_id: text('KMS key for server-side encryption; empty: S3’s own key'),
    public_endpoint: text('Where clients reach S3 by presigned links; empty: where the services reach it'),
    upload_expires_s: positive('Seconds a presigned upload link lives', 3600),
    download_expires_s: positive('Seconds a presigned download link lives', 3600),
  }),
  ledger: z.object({
    table_prefix: text('Prefix of the DynamoDB tables'),
    commit_interval_ms: count('Longest wait to gather rows into one batch, milliseconds', 1000),
    timeout_ms: positive('Longest wait of a request for the ledger, all tries together, milliseconds', 60_000),
    effect_timeout_ms: positive('Longest time to record what a job did, all tries together, milliseconds', 300_000),
    retention_days: positive('Days a job stays readable', 3650),
    sweep_interval_ms: positive('Milliseconds between two sweeps for jobs that Redis forgot'),
    sweep_grace_ms: count(
      'A row younger than this is left to its gateway, milliseconds; half a sweep interval at most',
    ),
    create_tables: flag('Create missing tables at start (local runs; deploy/aws makes them elsewhere)'),
  }),
  cognito: z.object({
    user_pool_id: text('User pool'),
    client_id: text('App client of the pool'),
    issuer: text('Issuer of the tokens; empty: AWS’s own for the region and pool'),
    jwks_uri: text('Where the pool’s keys are; empty: under the issuer'),
    public_endpoint: text('Where clients call InitiateAuth; empty: AWS’s own'),
  }),
  redis: z.object({
    url: z
      .string()
      .regex(/^rediss?:\/\//, 'must start with redis:// or rediss://')
      .describe('Redis of the queues'),
    prefix: text('Key prefix; the braces keep all keys on one cluster slot'),
    command_timeout_ms: positive('Longest wait for one command of the gateway, milliseconds'),
    connect_timeout_ms: positive('Longest wait for a connection, milliseconds'),
  }),
  http: z.object({
    port: z.number().int().min(0).max(65_535).describe('Port of the gateway; 0: any free one'),
    host: text('Address the gateway listens on'),
    health_port: z.number().int().min(0).max(65_535).describe('Port of a worker’s health and metrics; 0: any free one'),
    health_host: text('Address the health server listens on'),
    trusted_proxies: count('Proxy hops in front of the gateway whose X-Forwarded-For is believed', 10),
    shutdown_ms: positive('Longest time for a graceful stop, milliseconds'),
  }),
  quota: z.object({
    daily_limit: count('Questions and transcriptions a user has a day'),
    monthly_limit: count('The same a month'),
    retention_days: positive('Days of usage history', 3650),
  }),
  queue: z.object({
    max_size: positive('Jobs waiting in the whole system'),
    max_per_user: positive('Jobs of one user waiting'),
    max_active_per_user: positive('Jobs of one user running at once, per queue'),
    concurrency: positive('Jobs a worker runs at once', 1000),
    timeout_ms: positive('Longest run of one job, milliseconds'),
    max_retries: count('Times a stalled job is started again', 20),
    max_wait_s: positive('Seconds after which waiting low work goes ahead of newer normal work'),
    lock_ms: positive('Milliseconds after which a dead worker has lost its jobs, one sweep interval at most'),
    stalled_interval_ms: positive(
      'Milliseconds between two looks for jobs of dead workers, half a sweep interval at most',
    ),
  }),
  events: z.object({
    stream_max_length: positive('Events kept for each user'),
    stream_ttl_s: positive('Seconds an idle user’s events are kept'),
    max_buffered_bytes: positive('Bytes a slow WebSocket or SSE client may lag before it is cut'),
    ping_interval_ms: positive(
      'Milliseconds between two pings of a WebSocket or SSE client; one that has not taken the last is cut',
    ),
    ticket_ttl_s: positive('Seconds a WebSocket ticket lives', 300),
  }),
  request: z.object({ max_size_mb: positive('Largest HTTP body, MB', 1024) }),
  rate_limit: z.object({ requests: positive('Requests a minute, for each address and each user') }),
  ip_allowlist: list('Addresses and CIDRs that may call; empty: all'),
  cors: z.object({ origins: list('Origins of browsers that may call') }),
  security: z.object({
    hmac: z.enum(['off', 'optional', 'required']).describe('Signed requests for sensitive operations'),
    hmac_keys: text('Keys of signed requests, `id:secret` with commas between').meta({ secret: true }),
  }),
  screening: z.object({
    mode: z
      .enum(['off', 'observe', 'block'])
      .describe(
        'Questions that look like an attack: `observe` logs and counts them, `block` also refuses those with control characters',
      ),
  }),
  auth: z.object({ check_revocation: flag('Ask Cognito whether a token was revoked') }),
  retry,
  breaker: z.object({
    threshold: positive('Failures in a row that open a breaker', 1000),
    open_ms: positive('Milliseconds it stays open before a probe'),
    half_open_probes: positive('Probes allowed at once', 100),
    probe_initial_ms: positive('First look by itself whether the upstream is well again, milliseconds after opening'),
    probe_max_ms: positive('Longest time between two such looks, milliseconds'),
  }),
  bulkhead: z.object({
    max_concurrent: positive('Calls in flight to one upstream from one process'),
    max_queued: count('Calls that may wait for a place'),
  }),
  degradation: z.object({
    max_failure_rate: ratio('Share of failures from which the service counts as degraded'),
    window_ms: positive('Window of that share, milliseconds'),
    similar_threshold: ratio('How similar an earlier question must be for its cached answer to serve'),
  }),
  cache: z.object({
    enabled: flag('Cache answers, passages, transcripts and usage'),
    compression: flag('Compress large entries in Redis'),
    compress_above_bytes: count('Entries from this size are compressed'),
    answers: cacheType,
    retrieval: cacheType,
    transcripts: cacheType,
    usage: cacheType,
    warm_up_questions: count('A user’s most asked questions answered again after an ingest', 50),
  }),
  pool: z.object({
    max_connections: positive('Connections to one AWS service', 5000),
    connect_timeout_ms: positive('Longest wait for a connection, milliseconds'),
    read_timeout_ms: positive('Longest silence of a response, milliseconds'),
  }),
  transcribe: z.object({
    max_duration_s: positive('Longest recording, seconds', 14_400),
    max_size_mb: positive('Largest recording, MB', 2048),
    languages: list('Candidates when no language is given'),
    poll_initial_ms: positive('First look at a running transcription after this, milliseconds'),
    poll_max_ms: positive('Longest time between two looks, milliseconds'),
    start_per_s: positive('Transcribe’s own limit of starts a second'),
    get_per_s: positive('Transcribe’s own limit of looks a second'),
    max_running: positive('Transcribe’s own limit of jobs at once'),
    completion_queue_url: text('SQS queue of EventBridge completion events; empty: none'),
    bias: z.enum(['off', 'manuals']).describe('Bias recognition by the words of the user’s manuals'),
    bias_role_arn: text('Role by which Transcribe reads the texts it is biased by; empty: no bias'),
    bias_max_mb: positive('Manuals read for one user’s bias, newest first, MB', 1024),
    bias_timeout_ms: positive('Longest time to read them, milliseconds', 25_000),
    live_language: z
      .string()
      .regex(/^(?:[a-z]{2,3}-[A-Z]{2})?$/, 'is not a language code such as en-US')
      .describe(
        'Language of live speech when none is named; empty: found out among `transcribe.languages`, without bias',
      ),
    live_max_per_user: positive('Live microphones of one user at once, all gateways together', 100),
    live_max_per_gateway: positive('Live microphones at once on one gateway', 1000),
    live_max_session_s: positive('Longest time from audio_start to audio_end, seconds', 14_400),
    live_idle_ms: positive('Longest silence of a client between two frames, milliseconds', 14_000),
    live_max_buffered_bytes: positive('Sound that may wait for Transcribe in one session, bytes'),
    live_start_timeout_ms: positive('Longest wait for Transcribe to take a stream, all tries together, milliseconds'),
    live_finish_timeout_ms: positive('Longest wait for the last words after audio_end, milliseconds'),
  }),
  ingest: z.object({
    max_size_mb: positive('Largest manual, MB', 1024),
    max_pages: positive('Most pages of a manual'),
    mode: z.enum(['direct', 'job']).describe('Index by IngestKnowledgeBaseDocuments or by StartIngestionJob'),
    batch_window_ms: count('Documents that arrive within it are indexed in one call, milliseconds'),
    calls_per_s: z.number().min(0.01).max(1000).describe('Bedrock’s own limit of ingestion calls a second'),
    jobs_per_s: z.number().min(0.001).max(1000).describe('Bedrock’s own limit of ingestion jobs started a second'),
    probes_per_s: positive('Searches a second that ask whether a new manual is found yet', 1000),
    poll_initial_ms: positive('First look at a document’s status after this, milliseconds'),
    poll_max_ms: positive('Longest time between two looks, milliseconds'),
    ready_timeout_ms: positive('Longest wait for a manual to become searchable, milliseconds'),
    parse_timeout_ms: positive('Longest time to parse a manual, milliseconds'),
    parse_memory_mb: positive('Memory the parser may use, MB'),
    fetch_timeout_ms: positive('Longest time to fetch an address, milliseconds'),
    fetch_max_redirects: count('Redirects followed', 20),
    reconcile_hour: z.number().int().min(-1).max(23).describe('Hour (UTC) of the nightly reconciliation; -1: none'),
  }),
  conversation: z.object({
    max_turns: count('Earlier turns given to the model', 50),
    ttl_days: positive('Days a conversation is kept', 3650),
  }),
  personas: z.object(
    Object.fromEntries(personas.map((name) => [name, persona])) as Record<(typeof personas)[number], typeof persona>,
  ),
  errors: z.object({
    retention_days: positive('Days a dead letter is kept', 3650),
    alert_window_s: positive('One alert for each fingerprint in this time, seconds'),
  }),
  logs: z.object({
    level: z.enum(['error', 'warn', 'info', 'debug']).describe('Least level that is logged'),
    retention_days: positive('Days logs are kept', 3650),
  }),
  tracing: z.object({ enabled: flag('Record spans') }),
  alerts: z.object({
    email: text('Where alerts go; empty: nobody'),
    topic_arn: text('SNS topic of alerts; empty: none'),
    response_time_ms: threshold('milliseconds'),
    error_rate: threshold('share of jobs'),
    queue_depth: threshold('jobs'),
    cache_hit_rate: z.object({ warning: ratio('Warn below this hit rate') }),
  }),
});

export type Settings = z.infer<typeof settingsSchema>;
export type PersonaSettings = Settings['personas']['default'];

/** Names kept beside the schema for docs: they are fixed by the code, not by settings. */
export const fixedNames = { queues: queueNames, classes: jobClasses };
