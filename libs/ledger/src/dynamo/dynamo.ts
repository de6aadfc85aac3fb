import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TableKey, tableName } from '../tables.ts';
import { connectDynamo } from './client.ts';
import { delayBefore } from './delays.ts';
import { type DirectCalls, type DirectOperation, NotAnswered, directCalls } from './direct-call.ts';
import { failureOf, toLedgerError } from './failures.ts';

/** `request`: somebody waits for an HTTP answer. `effect`: a worker records what happened and had better succeed. */
export type Patience = 'request' | 'effect';

/** When a call must have ended, all tries and waits together, and how long one try may take. */
export interface Deadline {
  readonly at: number;
  readonly tryMs: number;
}

export interface DynamoOptions {
  readonly settings: Pick<Settings, 'ledger' | 'pool' | 'region' | 'retry'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Runs calls under deadline and retry policy, counts and times them. Only for calls that may be repeated. */
export class Dynamo {
  readonly client: DynamoDBDocumentClient;
  readonly #options: DynamoOptions;
  readonly #directCalls: DirectCalls;

  /** Connects with the first call. */
  constructor(options: DynamoOptions) {
    this.client = connectDynamo(options.settings);
    this.#directCalls = directCalls(this.client, options.settings);
    this.#options = options;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.client.destroy();
    await this.#directCalls.close();
  }

  table(table: TableKey): string {
    return tableName(this.#options.settings.ledger.table_prefix, table);
  }

  deadline(patience: Patience): Deadline {
    const { timeout_ms, effect_timeout_ms } = this.#options.settings.ledger;
    return patience === 'request'
      ? { at: performance.now() + timeout_ms, tryMs: timeout_ms }
      : { at: performance.now() + effect_timeout_ms, tryMs: Math.ceil(effect_timeout_ms / 4) };
  }

  /** Waits before retry number `retry`; false when no time or no try is left. */
  async pause(deadline: Deadline, retry: number): Promise<boolean> {
    const policy = this.#options.settings.retry.dynamodb;
    if (retry >= policy.max_retries) return false;
    const delay = delayBefore(policy, retry);
    if (performance.now() + delay >= deadline.at) return false;
    await sleep(delay);
    return true;
  }

  /**
   * Throws what the SDK throws for a failed condition, so that the caller can tell it; else ManuelError `unavailable`
   * (not reached in time) or `internal` (DynamoDB refused the request itself).
   */
  async run<T>(
    operation: string,
    wait: Patience | Deadline,
    work: (client: DynamoDBDocumentClient, options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const deadline = typeof wait === 'string' ? this.deadline(wait) : wait;
    for (let tries = 0; ; tries += 1) {
      const started = performance.now();
      const limit = Math.max(1, Math.ceil(Math.min(deadline.tryMs, deadline.at - started)));
      // Not AbortSignal.timeout: its timer outlives the call and makes an error that nobody wants.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`${operation} took longer than ${limit} ms`)), limit);
      try {
        const answer = await work(this.client, { abortSignal: late.signal });
        this.#observe(operation, started, 'ok');
        return answer;
      } catch (error) {
        const failure = failureOf(error);
        this.#observe(operation, started, failure);
        if (failure === 'condition') throw error;
        if (failure === 'transient' && (await this.pause(deadline, tries))) continue;
        this.#options.logger.warn('the ledger could not be reached', { operation, failure, tries: tries + 1, error });
        throw toLedgerError(error, operation);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /**
   * The same for a call of the hot path: directly (see `directCalls`), and by the SDK's own command where the direct one was not
   * answered or `body`, DynamoDB's own JSON, could not be made.
   */
  runDirectly<T>(
    operation: DirectOperation,
    wait: Patience | Deadline,
    call: {
      readonly body: string | undefined;
      readonly read: (answer: unknown) => T;
      readonly command: (client: DynamoDBDocumentClient, options: { abortSignal: AbortSignal }) => Promise<T>;
    },
  ): Promise<T> {
    let { body } = call;
    return this.run(operation, wait, async (client, options) => {
      if (body !== undefined) {
        try {
          return call.read(await this.#directCalls.call(operation, body, options));
        } catch (error) {
          if (!(error instanceof NotAnswered)) throw error;
          body = undefined;
        }
      }
      return call.command(client, options);
    });
  }

  /** Counts rows written, by table. */
  written(table: TableKey, rows: number): void {
    this.#options.metrics.count('ledger_rows_written_total', 'Rows written to the ledger', { table }, rows);
  }

  #observe(operation: string, started: number, outcome: string): void {
    const seconds = (performance.now() - started) / 1000;
    this.#options.metrics.time('ledger_call_seconds', 'Calls to DynamoDB', seconds, { operation, outcome });
  }
}
