import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const LIFETIME_S = 15 * 60;
const PATH = /^\/_transcripts\/(?<name>[0-9a-zA-Z._-]{1,200})\/asrOutput\.json$/;

/** Makes and checks links to transcripts that no bucket was named for; like S3's presigned links they are signed and expire. */
export class TranscriptLinks {
  readonly #base: string;
  readonly #region: string;
  /** A new one at each start: a link outlives a restart no better than its 15 minutes, and asking for the job gives a new one. */
  readonly #secret = randomBytes(32);

  constructor(base: string, region: string) {
    this.#base = base;
    this.#region = region;
  }

  make(name: string, now = new Date()): string {
    const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `local/${date.slice(0, 8)}/${this.#region}/transcribe/aws4_request`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(LIFETIME_S),
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': this.#sign(name, date),
    });
    return `${this.#base}/_transcripts/${name}/asrOutput.json?${query.toString()}`;
  }

  /** The job that a path names, whoever asks. */
  nameIn(path: string): string | undefined {
    return PATH.exec(path)?.groups?.['name'];
  }

  isValid(name: string, query: URLSearchParams, now = new Date()): boolean {
    const date = query.get('X-Amz-Date') ?? '';
    const given = Buffer.from(query.get('X-Amz-Signature') ?? '', 'hex');
    const wanted = Buffer.from(this.#sign(name, date), 'hex');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
    const made = Date.parse(date.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'));
    return now.getTime() - made <= LIFETIME_S * 1000;
  }

  #sign(name: string, date: string): string {
    return createHmac('sha256', this.#secret).update(`${name}\n${date}`).digest('hex');
  }
}
