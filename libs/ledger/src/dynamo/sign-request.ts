import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { getSigningKey } from '@smithy/signature-v4';
import { type KeyObject, createHmac, createSecretKey, hash } from 'node:crypto';

/** What the SDK's client knows of who it is and where. */
export type SigningConfig = Pick<DynamoDBClient['config'], 'credentials' | 'region' | 'sha256'>;
type Credentials = Awaited<ReturnType<SigningConfig['credentials']>>;

interface DayKey {
  readonly of: Credentials;
  readonly day: string;
  readonly scope: string;
  readonly key: KeyObject;
}

const service = 'dynamodb';
const algorithm = 'AWS4-HMAC-SHA256';

/**
 * Signs calls of DynamoDB, POSTs to the root, with Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). The SDK derives its key anew
 * for every request; here its key of the day is kept.
 */
export function requestSigner(config: SigningConfig) {
  let kept: DayKey | undefined;

  async function keyOf(day: string): Promise<DayKey> {
    const of = await config.credentials();
    if (kept?.of === of && kept.day === day) return kept;
    const region = await config.region();
    const key = createSecretKey(await getSigningKey(config.sha256, of, day, region, service));
    kept = { of, day, scope: `${day}/${region}/${service}/aws4_request`, key };
    return kept;
  }

  /** All headers of the request but its length. `target`: of `X-Amz-Target`. */
  return async (request: {
    readonly host: string;
    readonly target: string;
    readonly body: string;
    readonly at: Date;
  }): Promise<Record<string, string>> => {
    const date = request.at.toISOString().replace(/[-:]|\.\d+/g, '');
    const { of, scope, key } = await keyOf(date.slice(0, 8));
    // In the order of their names, as the canonical request wants them.
    const headers: Record<string, string> = {
      'content-type': 'application/x-amz-json-1.0',
      host: request.host,
      'x-amz-date': date,
      ...(of.sessionToken === undefined ? {} : { 'x-amz-security-token': of.sessionToken }),
      'x-amz-target': request.target,
    };
    const names = Object.keys(headers);
    const signedNames = names.join(';');
    const lines = names.map((name) => `${name}:${headers[name] ?? ''}\n`).join('');
    const canonical = `POST\n/\n\n${lines}\n${signedNames}\n${hash('sha256', request.body)}`;
    const text = `${algorithm}\n${date}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', key).update(text).digest('hex');
    headers['authorization'] =
      `${algorithm} Credential=${of.accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`;
    return headers;
  };
}
