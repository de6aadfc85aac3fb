export interface S3Object {
  readonly bucket: string;
  readonly key: string;
}

const S3_URI = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.{1,1024})$/;

/** `s3://bucket/key`, or undefined for anything else. */
export function parseS3Uri(uri: string): S3Object | undefined {
  const [, bucket, key] = S3_URI.exec(uri) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

export function s3Uri({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`;
}
