import type { Gateway } from '../context.ts';

const originOf = (url: string): string => new URL(url).origin;

/** Where the chat page's script must reach besides us: the user pool, and the buckets it uploads to and reads from. */
export async function browserOrigins({ settings, s3 }: Pick<Gateway, 'settings' | 's3'>): Promise<string[]> {
  const { public_endpoint } = settings.cognito;
  const { manuals_bucket, audio_bucket } = settings.storage;
  const links = await Promise.all(
    [manuals_bucket, audio_bucket].map((bucket) =>
      s3.presignPut({ bucket, key: 'origin', contentType: 'text/plain', size: 1 }),
    ),
  );
  const pool =
    public_endpoint === '' ? `https://cognito-idp.${settings.region}.amazonaws.com` : originOf(public_endpoint);
  return [...new Set([pool, ...links.map(({ url }) => originOf(url))])];
}
