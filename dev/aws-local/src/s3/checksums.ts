import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../service.ts';

/** Follows a body and says at its end whether it is what the client announced. */
export class ChecksumVerifier {
  readonly #md5 = createHash('md5');
  readonly #sha1 = createHash('sha1');
  readonly #sha256 = createHash('sha256');
  #crc32 = 0;

  update(chunk: Buffer): void {
    for (const hash of [this.#md5, this.#sha1, this.#sha256]) hash.update(chunk);
    this.#crc32 = crc32(chunk, this.#crc32);
  }

  /**
   * Compares with Content-MD5, x-amz-content-sha256 and x-amz-checksum-*, from headers or trailers.
   * Answers the checksum headers to remember. CRC32C and CRC64NVME are remembered unchecked.
   */
  verify(announced: ReadonlyMap<string, string>): Record<string, string> {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc32);
    const md5 = announced.get('content-md5');
    if (md5 !== undefined && md5 !== base64(this.#md5)) {
      throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    const sha256 = this.#sha256.digest();
    const payload = announced.get('x-amz-content-sha256');
    if (payload !== undefined && /^[0-9a-f]{64}$/i.test(payload) && payload.toLowerCase() !== sha256.toString('hex')) {
      throw new AwsError(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const computed: Readonly<Record<string, string>> = {
      'x-amz-checksum-crc32': crc.toString('base64'),
      'x-amz-checksum-sha1': base64(this.#sha1),
      'x-amz-checksum-sha256': sha256.toString('base64'),
    };
    const kept: Record<string, string> = {};
    for (const [name, value] of announced) {
      if (!/^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)$/.test(name)) continue;
      if (computed[name] !== undefined && computed[name] !== value) {
        const algorithm = name.slice('x-amz-checksum-'.length).toUpperCase();
        throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
      }
      kept[name] = value;
    }
    return kept;
  }
}

function base64(hash: Hash): string {
  return hash.digest('base64');
}
