import { AwsError } from '../service.ts';
import type { AwsRequest } from '../service.ts';

/** Which bucket and key a request is about; either may be empty. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

const maxKeyBytes = 1024;

/** Reads path-style (`/bucket/key`) and virtual-host-style (`bucket.localhost/key`) addresses. */
export function addressOf(request: AwsRequest, hasBucket: (name: string) => boolean): S3Address {
  const [label = ''] = (request.headers.host ?? '').split('.', 1);
  const path = request.path.slice(1);
  const virtualHost = hasBucket(label);
  const slash = path.indexOf('/');
  const bucket = virtualHost ? label : decode(slash < 0 ? path : path.slice(0, slash));
  const key = decode(virtualHost ? path : slash < 0 ? '' : path.slice(slash + 1));
  if (Buffer.byteLength(key) > maxKeyBytes) throw new AwsError('KeyTooLongError', 'Your key is too long');
  return { bucket, key };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}
