import type { RulesOfBucket } from './s3/bucket-rules.ts';
import { ownKeys } from './s3/encryption.ts';

/** The buckets that Manuel needs, as deploy/aws/storage.yaml makes them on AWS; a test holds the two together. */
export interface BucketDefinition extends RulesOfBucket {
  readonly name: string;
}

export const manualsBucket: BucketDefinition = {
  name: 'manuel-manuals',
  encryption: ownKeys,
  lifecycle: [
    // What was uploaded and never handed in as a manual.
    { id: 'uploads-expire', prefix: 'uploads/', enabled: true, expireDays: 1 },
    { id: 'old-versions-expire', prefix: '', enabled: true, noncurrentDays: 7 },
    { id: 'broken-uploads-end', prefix: '', enabled: true, abortMultipartDays: 1 },
  ],
};

export const audioBucket: BucketDefinition = {
  name: 'manuel-audio',
  encryption: ownKeys,
  lifecycle: [
    // The workers delete a recording as soon as its job ends; this is for those that no job ever took.
    { id: 'recordings-expire', prefix: '', enabled: true, expireDays: 1 },
    { id: 'broken-uploads-end', prefix: '', enabled: true, abortMultipartDays: 1 },
  ],
};
