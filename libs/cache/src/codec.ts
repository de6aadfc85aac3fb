import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const compress = promisify(gzip);
const expand = promisify(gunzip);

const plain = 0;
const gzipped = 1;

/** A value as it lies in Redis: one byte that says how (0 plain, 1 gzip), then the bytes. `aboveBytes`: Infinity for never. */
export async function encode(value: Uint8Array, aboveBytes: number): Promise<Buffer> {
  if (value.byteLength < aboveBytes) return Buffer.concat([Buffer.of(plain), value]);
  return Buffer.concat([Buffer.of(gzipped), await compress(value)]);
}

/** The bytes that were stored; undefined for what this code has not written. */
export async function decode(stored: Uint8Array): Promise<Buffer | undefined> {
  const body = stored.subarray(1);
  if (stored[0] === plain) return Buffer.from(body);
  if (stored[0] !== gzipped) return undefined;
  try {
    return await expand(body);
  } catch (error) {
    // Only damage makes zlib fail; a damaged entry is a miss, anything else is a mistake of ours.
    if (typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('Z_')) {
      return undefined;
    }
    throw error;
  }
}
