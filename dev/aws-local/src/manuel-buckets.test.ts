import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { GetBucketEncryptionCommand, GetBucketLifecycleConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { parse, type Tags } from 'yaml';
import { z } from 'zod';
import { startTestAws, type TestAws } from './testing/local-aws.ts';

let aws: TestAws;
let s3: S3Client;
beforeAll(async () => {
  aws = await startTestAws();
  s3 = new S3Client(aws.client);
});
afterAll(async () => {
  s3.destroy();
  await aws.close();
});

/** CloudFormation's own tags, as far as the template uses them; conditions hold for a stack without a key of its own. */
const tags: Tags = [
  { tag: '!Ref', resolve: (name: string) => `ref ${name}` },
  { tag: '!GetAtt', resolve: (name: string) => `attribute ${name}` },
  { tag: '!Sub', resolve: (text: string) => text },
  ...['!If', '!Not', '!Equals'].map((tag) => ({
    tag,
    collection: 'seq' as const,
    resolve: (seq: unknown) => (tag === '!If' ? Reflect.get(Object(Reflect.get(Object(seq), 'items')), 2) : seq),
  })),
];

const bucketSchema = z.object({
  Properties: z.object({
    VersioningConfiguration: z.object({ Status: z.string() }).optional(),
    BucketEncryption: z.object({
      ServerSideEncryptionConfiguration: z.tuple([
        z.object({
          ServerSideEncryptionByDefault: z.object({ SSEAlgorithm: z.string() }),
          BucketKeyEnabled: z.boolean(),
        }),
      ]),
    }),
    LifecycleConfiguration: z.object({
      Rules: z.array(
        z.object({
          Id: z.string(),
          Status: z.string(),
          Prefix: z.string().optional(),
          ExpirationInDays: z.number().optional(),
          NoncurrentVersionExpiration: z.object({ NoncurrentDays: z.number() }).optional(),
          AbortIncompleteMultipartUpload: z.object({ DaysAfterInitiation: z.number() }).optional(),
        }),
      ),
    }),
    PublicAccessBlockConfiguration: z.record(z.string(), z.boolean()),
    CorsConfiguration: z.object({ CorsRules: z.array(z.object({ AllowedMethods: z.array(z.string()) })) }),
  }),
});

async function template() {
  const text = await readFile(new URL('../../../deploy/aws/storage.yaml', import.meta.url), 'utf8');
  const document: unknown = parse(text, { customTags: tags });
  return z
    .object({
      Resources: z.object({
        Manuals: bucketSchema,
        Audio: bucketSchema,
        ManualsPolicy: z.unknown(),
        AudioPolicy: z.unknown(),
      }),
    })
    .parse(document).Resources;
}

test.each(['Manuals', 'Audio'] as const)('the template’s bucket %s has the rules of the local one', async (name) => {
  const { [name]: bucket } = await template();
  const { LifecycleConfiguration, BucketEncryption } = bucket.Properties;
  const Bucket = name === 'Audio' ? 'manuel-audio' : 'manuel-manuals';
  const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
  expect(
    LifecycleConfiguration.Rules.map(({ Id, Prefix = '', ExpirationInDays, ...rule }) => ({
      ID: Id,
      Filter: { Prefix },
      ...(ExpirationInDays === undefined ? {} : { Expiration: { Days: ExpirationInDays } }),
      ...rule,
    })),
  ).toEqual(Rules);
  const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  const [rule] = BucketEncryption.ServerSideEncryptionConfiguration;
  expect([
    {
      ApplyServerSideEncryptionByDefault: rule.ServerSideEncryptionByDefault,
      BucketKeyEnabled: rule.BucketKeyEnabled,
    },
  ]).toEqual(ServerSideEncryptionConfiguration?.Rules);
});

test('no bucket of the template is public, each takes uploads of browsers and nothing without TLS; recordings live a day', async () => {
  const resources = await template();
  for (const { Properties } of [resources.Manuals, resources.Audio]) {
    expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect(Properties.CorsConfiguration.CorsRules[0]?.AllowedMethods).toContain('PUT');
  }
  for (const policy of [resources.ManualsPolicy, resources.AudioPolicy])
    expect(JSON.stringify(policy)).toContain('{"Bool":{"aws:SecureTransport":"false"}}');
  expect(resources.Manuals.Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
  expect(resources.Audio.Properties.LifecycleConfiguration.Rules[0]).toMatchObject({
    Status: 'Enabled',
    ExpirationInDays: 1,
  });
});
