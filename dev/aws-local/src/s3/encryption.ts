import { AwsError } from '../service.ts';
import { element } from '../xml.ts';
import { field, malformed, readXml, text } from './read-xml.ts';

/** How objects are encrypted whose upload does not say so; here that is only remembered and told. */
export interface Encryption {
  readonly algorithm: string;
  readonly keyId?: string;
  readonly bucketKey?: boolean;
}

const algorithms = ['AES256', 'aws:kms', 'aws:kms:dsse'];
/** What every bucket has that was told nothing else. */
export const ownKeys: Encryption = { algorithm: 'AES256' };

/** Throws InvalidArgument for what S3 does not have. */
export function checkEncryption(encryption: Encryption): Encryption {
  if (!algorithms.includes(encryption.algorithm)) {
    throw new AwsError('InvalidArgument', 'The encryption method specified is not supported');
  }
  if (encryption.keyId !== undefined && encryption.algorithm === 'AES256') {
    throw new AwsError(
      'InvalidArgument',
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    );
  }
  return encryption;
}

/** The headers that an object's encryption is told by. */
export const encryptionHeaders = ({ algorithm, keyId }: Encryption): Record<string, string> => ({
  'x-amz-server-side-encryption': algorithm,
  ...(keyId === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
});

/** Reads the body of PutBucketEncryption. Throws MalformedXML, InvalidArgument. */
export function readEncryption(body: Buffer): Encryption {
  const rules = field(readXml(body, 'ServerSideEncryptionConfiguration'), 'Rule');
  const [rule] = Array.isArray(rules) && rules.length === 1 ? (rules as unknown[]) : [];
  const byDefault = field(rule, 'ApplyServerSideEncryptionByDefault');
  const algorithm = text(byDefault, 'SSEAlgorithm');
  if (algorithm === undefined) throw malformed();
  const keyId = text(byDefault, 'KMSMasterKeyID');
  const bucketKey = text(rule, 'BucketKeyEnabled');
  return checkEncryption({
    algorithm,
    ...(keyId === undefined ? {} : { keyId }),
    ...(bucketKey === undefined ? {} : { bucketKey: bucketKey === 'true' }),
  });
}

/** The answer to GetBucketEncryption. */
export function encryptionXml({ algorithm, keyId, bucketKey }: Encryption): string {
  const byDefault = `<ApplyServerSideEncryptionByDefault>${element('SSEAlgorithm', algorithm)}${element('KMSMasterKeyID', keyId)}</ApplyServerSideEncryptionByDefault>`;
  return `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>${byDefault}${element('BucketKeyEnabled', bucketKey ?? false)}</Rule></ServerSideEncryptionConfiguration>`;
}
