import { expect, test } from '@jest/globals';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { settingsWith } from '@manuel/settings';
import { connectDynamo } from './client.ts';
import { requestSigner, type SigningConfig } from './sign-request.ts';

const { sha256 } = connectDynamo(settingsWith({ region: 'eu-central-1' })).config;
const plain = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const identities = [plain, { ...plain, sessionToken: 'a session/token==' }];
const region = () => Promise.resolve('eu-central-1');
const body = JSON.stringify({
  RequestItems: { jobs: [{ PutRequest: { Item: { question: { S: 'Wie groß? 🔧' } } } }] },
});
const days = [new Date('2026-01-31T23:59:59.999Z'), new Date('2026-02-01T00:00:00.000Z')];

test('a signature is the one that the SDK makes, with and without a session, over midnight', async () => {
  for (const identity of identities) {
    const config: SigningConfig = { credentials: () => Promise.resolve(identity), region, sha256 };
    const sign = requestSigner(config);
    const oracle = new SignatureV4({ service: 'dynamodb', region, credentials: identity, sha256 });
    for (const at of [...days, ...days]) {
      const headers = await sign({ host: 'localhost:4566', target: 'DynamoDB_20120810.BatchWriteItem', body, at });
      const { authorization, ...others } = headers;
      const request = new HttpRequest({
        method: 'POST',
        protocol: 'http:',
        hostname: 'localhost',
        port: 4566,
        path: '/',
        headers: { ...others },
        body,
      });
      const signableHeaders = new Set(Object.keys(others));
      const options = {
        signingDate: at,
        signableHeaders,
        unsignableHeaders: new Set(['x-amz-content-sha256']),
      };
      const theirs = (await oracle.sign(request, options)).headers['authorization'];
      expect(authorization).toBe(theirs);
    }
  }
});

test('new credentials are used at once', async () => {
  let identity = plain;
  const sign = requestSigner({ credentials: () => Promise.resolve(identity), region, sha256 });
  const authorize = async () =>
    (await sign({ host: 'localhost', target: 'DynamoDB_20120810.BatchWriteItem', body, at: new Date(0) }))[
      'authorization'
    ];
  const before = await authorize();
  expect(await authorize()).toBe(before);
  identity = { ...plain, secretAccessKey: 'another' };
  expect(await authorize()).not.toBe(before);
});
