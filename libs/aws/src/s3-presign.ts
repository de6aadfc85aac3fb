import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client, ServerSideEncryption } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Settings } from '@manuel/settings';

export interface PresignPutInput {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  /** Bytes, exactly. */
  readonly size: number;
}

export interface PresignedUpload {
  readonly url: string;
  readonly method: 'PUT';
  /** Signed: the client sends these, exactly so, or S3 refuses (Content-Length a browser sets by itself). */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly expires_at: number;
}

export interface PresignGetInput {
  readonly bucket: string;
  readonly key: string;
  /** As the user named it; the header gets an ASCII form and a UTF-8 form. */
  readonly filename: string;
  readonly contentType: string;
  /** `inline` only works for types that a browser shows without running anything in them. */
  readonly disposition?: 'inline' | 'attachment';
}

type Storage = Settings['storage'];

export async function presignPut(
  client: S3Client,
  storage: Storage,
  encryption: { ServerSideEncryption: ServerSideEncryption; SSEKMSKeyId?: string },
  input: PresignPutInput,
): Promise<PresignedUpload> {
  const { bucket, key, contentType, size } = input;
  const { ServerSideEncryption, SSEKMSKeyId } = encryption;
  const headers: Record<string, string> = {
    'content-type': contentType,
    'content-length': String(size),
    'x-amz-server-side-encryption': ServerSideEncryption,
    ...(SSEKMSKeyId === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId }),
  };
  const expiresAt = Date.now() + storage.upload_expires_s * 1000;
  const url = await getSignedUrl(
    client,
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      ContentLength: size,
      ServerSideEncryption,
      ...(SSEKMSKeyId === undefined ? {} : { SSEKMSKeyId }),
    }),
    {
      expiresIn: storage.upload_expires_s,
      // Without this the SDK leaves the type unsigned, and a client could store anything under it.
      signableHeaders: new Set(['host', ...Object.keys(headers)]),
    },
  );
  return { url, method: 'PUT', headers, expires_at: expiresAt };
}

/** Types that a browser can show and that cannot run script; all else is downloaded as bytes. */
const harmless = new Set(['application/pdf', 'text/plain', 'text/csv', 'text/markdown']);

export async function presignGet(
  client: S3Client,
  storage: Storage,
  input: PresignGetInput,
): Promise<{ url: string; expires_at: number }> {
  const safe = harmless.has(input.contentType);
  const shown = safe && input.contentType !== 'application/pdf' ? 'text/plain; charset=utf-8' : input.contentType;
  const disposition = safe && input.disposition !== 'attachment' ? 'inline' : 'attachment';
  const expiresAt = Date.now() + storage.download_expires_s * 1000;
  const url = await getSignedUrl(
    client,
    new GetObjectCommand({
      Bucket: input.bucket,
      Key: input.key,
      ResponseContentType: safe ? shown : 'application/octet-stream',
      ResponseContentDisposition: contentDisposition(disposition, input.filename),
      ResponseCacheControl: 'private, no-store',
    }),
    { expiresIn: storage.download_expires_s },
  );
  return { url, expires_at: expiresAt };
}

/** RFC 6266: a plain ASCII name for old clients and the real one in UTF-8 (RFC 8187). No character can end the header. */
export function contentDisposition(disposition: 'inline' | 'attachment', filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  const utf8 = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${disposition}; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
