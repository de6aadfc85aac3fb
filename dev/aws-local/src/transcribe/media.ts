import { badRequest } from './read-fields.ts';

export const MEDIA_FORMATS = ['mp3', 'mp4', 'wav', 'flac', 'ogg', 'amr', 'webm', 'm4a'] as const;
export type MediaFormat = (typeof MEDIA_FORMATS)[number];

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Reads `s3://bucket/key`, or the https forms of S3 (path style, virtual host, and path style on any other host, as here).
 * @throws AwsError BadRequestException
 */
export function parseS3Uri(uri: string, field: string): ObjectLocation {
  const plain = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.+)$/.exec(uri)?.groups;
  if (plain !== undefined) return { bucket: plain['bucket'] ?? '', key: plain['key'] ?? '' };
  if (/^https?:\/\//.test(uri) && URL.canParse(uri)) {
    const url = new URL(uri);
    const path = decodeURIComponent(url.pathname).replace(/^\//, '');
    const host = /^(?<bucket>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$/.exec(url.hostname)?.groups?.['bucket'];
    if (host !== undefined && path !== '') return { bucket: host, key: path };
    const slash = path.indexOf('/');
    if (slash > 0 && slash < path.length - 1) return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
  }
  throw badRequest(
    `The URI that you provided in ${field} doesn't point to an S3 object. Make sure that the object exists and try your request again.`,
  );
}

/** Tells a format by its first bytes; undefined for what Transcribe does not take. MP4 and M4A are one container. */
export function detectFormat(media: Buffer): MediaFormat | undefined {
  const text = media.subarray(0, 16).toString('latin1');
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WAVE') return 'wav';
  if (text.startsWith('fLaC')) return 'flac';
  if (text.startsWith('OggS')) return 'ogg';
  if (text.startsWith('#!AMR')) return 'amr';
  if (text.slice(4, 8) === 'ftyp') return 'mp4';
  if (text.startsWith('\x1aE\xdf\xa3')) return 'webm';
  if (text.startsWith('ID3') || (media[0] === 0xff && ((media[1] ?? 0) & 0xe0) === 0xe0)) return 'mp3';
  return undefined;
}

export function sameContainer(a: MediaFormat, b: MediaFormat): boolean {
  const container = (format: MediaFormat) => (format === 'm4a' ? 'mp4' : format);
  return container(a) === container(b);
}
