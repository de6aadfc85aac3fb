import type { AwsRequest, AwsService, AwsServiceName } from './service.ts';

/** SigV4 signing names; the three Bedrock services share one and are told apart by their paths. */
const servicesBySigningName: Readonly<Record<string, readonly AwsServiceName[]>> = {
  s3: ['s3'],
  dynamodb: ['dynamodb'],
  sns: ['sns'],
  'cognito-idp': ['cognito-idp'],
  transcribe: ['transcribe'],
  bedrock: ['bedrock-runtime', 'bedrock-agent-runtime', 'bedrock-agent'],
};

export type Services = ReadonlyMap<AwsServiceName, AwsService>;

export type Destination =
  | { readonly kind: 'operation'; readonly service: AwsService; readonly operation: string }
  | { readonly kind: 'unknown-operation'; readonly service: AwsService }
  | { readonly kind: 'unknown-service'; readonly signingName: string }
  | { readonly kind: 'unsigned' };

/** Finds the service and operation of a request, by its credential scope and then by its shape. */
export function findDestination(services: Services, request: AwsRequest): Destination {
  const signingName = signingNameOf(request) ?? (isOpenCognito(request) ? 'cognito-idp' : undefined);
  if (signingName === undefined) return { kind: 'unsigned' };
  const names = servicesBySigningName[signingName] ?? [];
  const candidates = names.map((name) => services.get(name)).filter((service) => service !== undefined);
  for (const service of candidates) {
    const operation = service.operationOf(request);
    if (operation !== undefined) return { kind: 'operation', service, operation };
  }
  const [first] = candidates;
  return first ? { kind: 'unknown-operation', service: first } : { kind: 'unknown-service', signingName };
}

/** `.../20260101/eu-west-1/<signing name>/aws4_request`, from the header or a presigned query. */
export function signingNameOf(request: AwsRequest): string | undefined {
  const credential =
    /\bCredential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ?? request.query.get('X-Amz-Credential');
  const parts = credential?.split('/') ?? [];
  return parts.at(-1) === 'aws4_request' ? parts.at(-2) : undefined;
}

/** Sign-in and the pool's public documents need no AWS credentials. */
function isOpenCognito(request: AwsRequest): boolean {
  const target = request.headers['x-amz-target'];
  return (
    (typeof target === 'string' && target.startsWith('AWSCognitoIdentityProviderService.')) ||
    (request.method === 'GET' && /^\/[^/]+\/\.well-known\/(jwks\.json|openid-configuration)$/.test(request.path))
  );
}
