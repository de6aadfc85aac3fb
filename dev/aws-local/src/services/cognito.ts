import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { adminOperations } from '../cognito/admin-operations.ts';
import { text } from '../cognito/input.ts';
import type { Input } from '../cognito/input.ts';
import { SigningKeys } from '../cognito/signing-keys.ts';
import type { TokenContext } from '../cognito/tokens.ts';
import { UserPool } from '../cognito/user-pool.ts';
import { userOperations } from '../cognito/user-operations.ts';
import { AwsError } from '../service.ts';
import type { AwsRequest, AwsService, AwsServiceOptions } from '../service.ts';

const targetPrefix = 'AWSCognitoIdentityProviderService.';

export interface LocalUser {
  readonly email: string;
  readonly password: string;
  readonly groups: readonly string[];
}

export interface CognitoOptions extends Pick<AwsServiceOptions, 'dataDir'> {
  readonly userPoolId: string;
  readonly clientId: string;
  /** The tokens' `iss`. */
  readonly issuer: string;
  /** Users that exist from the start. */
  readonly users: readonly LocalUser[];
}

/** One Cognito user pool that signs in by e-mail address, with one client. */
export async function createCognito(options: CognitoOptions): Promise<AwsService> {
  const keys = await SigningKeys.open(join(options.dataDir, 'keys.json'));
  const pool = await UserPool.open(join(options.dataDir, `${options.userPoolId}.json`));
  await addUsers(pool, options.users);
  const context: TokenContext = { keys, pool, issuer: options.issuer, clientId: options.clientId };
  const wellKnown = `/${options.userPoolId}/.well-known/`;

  return {
    name: 'cognito-idp',
    errorProtocol: 'aws-json-1.1',
    operationOf(request) {
      if (request.method === 'GET' && request.path === `${wellKnown}jwks.json`) return 'GetJwks';
      if (request.method === 'GET' && request.path === `${wellKnown}openid-configuration`)
        return 'GetOpenIdConfiguration';
      const target = String(request.headers['x-amz-target'] ?? '');
      const operation = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : '';
      return Object.hasOwn(userOperations, operation) || Object.hasOwn(adminOperations, operation)
        ? operation
        : undefined;
    },
    async handle(operation, request, response) {
      if (operation === 'GetJwks') return sendJson(response, 'application/json', keys.jwks());
      if (operation === 'GetOpenIdConfiguration')
        return sendJson(response, 'application/json', openIdConfiguration(options.issuer));
      const output = await run(context, options.userPoolId, operation, request);
      sendJson(response, 'application/x-amz-json-1.1', output);
    },
    close: () => Promise.resolve(),
  };
}

async function run(context: TokenContext, userPoolId: string, operation: string, request: AwsRequest): Promise<object> {
  const input = parseInput(await request.body());
  const open = userOperations[operation];
  if (open) return open(context, input);
  if (request.headers.authorization === undefined) {
    throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const named = text(input, 'UserPoolId');
  if (named !== userPoolId) throw new AwsError('ResourceNotFoundException', `User pool ${named} does not exist.`);
  const admin = adminOperations[operation];
  if (!admin) throw new Error(`no handler for ${operation}`);
  return admin(context, input);
}

async function addUsers(pool: UserPool, users: readonly LocalUser[]): Promise<void> {
  for (const { email, password, groups } of users) {
    for (const group of groups) if (!pool.groups().includes(group)) await pool.addGroup(group);
    if (pool.find(email)) continue;
    const user = await pool.add(email, password, 'CONFIRMED');
    if (groups.length > 0) await pool.update(user, { groups });
  }
}

function openIdConfiguration(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'token'],
    subject_types_supported: ['public'],
  };
}

function parseInput(body: Buffer): Input {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object');
}

function sendJson(response: ServerResponse, contentType: string, body: object): void {
  response.writeHead(200, { 'content-type': contentType }).end(JSON.stringify(body));
}
