import { AwsError } from '../../service.ts';

/** Requests a second that AWS grants an account: "Amazon Bedrock endpoints and quotas" in the AWS General Reference. */
const PER_SECOND: Readonly<Record<string, number>> = {
  IngestKnowledgeBaseDocuments: 5,
  DeleteKnowledgeBaseDocuments: 5,
  GetKnowledgeBaseDocuments: 5,
  ListKnowledgeBaseDocuments: 5,
  StartIngestionJob: 0.1,
  StopIngestionJob: 0.1,
  GetIngestionJob: 10,
  ListIngestionJobs: 10,
};

/** A token bucket for each operation, as large as one second's grant (and at least one request). */
export class RequestRates {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #clock: () => number;

  /** `clock` gives milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Counts a request; ThrottlingException when there were too many. */
  take(operation: string): void {
    const rate = PER_SECOND[operation];
    if (rate === undefined) return;
    const capacity = Math.max(1, rate);
    const now = this.#clock();
    const bucket = this.#buckets.get(operation) ?? { tokens: capacity, at: now };
    const tokens = Math.min(capacity, bucket.tokens + ((now - bucket.at) / 1_000) * rate);
    this.#buckets.set(operation, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    if (tokens < 1) {
      throw new AwsError(
        'ThrottlingException',
        `Too many ${operation} requests: AWS grants ${rate} a second. Wait, then try again.`,
        429,
      );
    }
  }
}
