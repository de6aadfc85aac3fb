import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../service.ts';

const checksumName = /^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)$/;

/** Follows a body and says at its end whether it is what the client announced. Computes only what was announced. */
export class ChecksumVerifier {
  readonly #hashes: ReadonlyMap<string, Hash>;
  #crc32 = 0;

  /** `announced` are the names of the headers and trailers that carry checksums; others may be among them. */
  constructor(announced: Iterable<string>) {
    const names = new Set(announced);
    const hashes = new Map<string, Hash>();
    if (names.has('x-amz-checksum-sha1')) hashes.set('sha1', createHash('sha1'));
    if (names.has('x-amz-checksum-sha256') || names.has('x-amz-content-sha256'))
      hashes.set('sha256', createHash('sha256'));
    this.#hashes = hashes;
  }

  update(chunk: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
    this.#crc32 = crc32(chunk, this.#crc32);
  }

  /**
   * Compares with Content-MD5, x-amz-content-sha256 and x-amz-checksum-*, from headers or trailers; `md5` in hex.
   * Answers the checksum headers to remember. CRC32C and CRC64NVME are remembered unchecked.
   * Throws BadDigest, XAmzContentSHA256Mismatch.
   */
  verify(announced: ReadonlyMap<string, string>, md5: string): Record<string, string> {
    const contentMd5 = announced.get('content-md5');
    if (contentMd5 !== undefined && contentMd5 !== Buffer.from(md5, 'hex').toString('base64')) {
      throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    const computed = this.#digests();
    const payload = announced.get('x-amz-content-sha256');
    if (
      payload !== undefined &&
      /^[0-9a-f]{64}$/i.test(payload) &&
      payload.toLowerCase() !== computed.get('sha256')?.toString('hex')
    ) {
      throw new AwsError(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const kept: Record<string, string> = {};
    for (const [name, value] of announced) {
      const algorithm = checksumName.exec(name)?.[1];
      if (algorithm === undefined) continue;
      const actual = computed.get(algorithm)?.toString('base64');
      if (actual !== undefined && actual !== value) {
        throw new AwsError(
          'BadDigest',
          `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
        );
      }
      kept[name] = value;
    }
    return kept;
  }

  #digests(): ReadonlyMap<string, Buffer> {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc32);
    return new Map([['crc32', crc], ...[...this.#hashes].map(([name, hash]) => [name, hash.digest()] as const)]);
  }
}
