import type { RetryPolicyName } from '@manuel/contracts';
import type { UpstreamName } from './types.ts';

/** Which of the parameter file's retry policies an upstream follows. */
export const policyOf: Readonly<Record<UpstreamName, RetryPolicyName>> = {
  bedrock: 'bedrock',
  'knowledge-base': 'bedrock',
  transcribe: 'transcribe',
  s3: 's3',
  dynamodb: 'dynamodb',
  sns: 's3',
  sqs: 's3',
  fetch: 'fetch',
};
