import { expect, test } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import express, { type Request } from 'express';
import fc from 'fast-check';
import { clientAddress } from './client-address.ts';

test('it is the address that Express finds, whatever was forwarded over however many of our hops', () => {
  const addresses = fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 4 });
  const separator = fc.constantFrom(',', ', ', ' , ');
  fc.assert(
    fc.property(
      fc.option(addresses),
      separator,
      fc.ipV4(),
      fc.integer({ min: 0, max: 4 }),
      (hops, between, peer, trusted) => {
        const socket = new Socket();
        Object.defineProperty(socket, 'remoteAddress', { value: peer });
        const request = new IncomingMessage(socket);
        if (hops !== null) request.headers['x-forwarded-for'] = hops.join(between);
        const app = express();
        app.set('trust proxy', trusted);
        Object.setPrototypeOf(request, app.request);
        expect(clientAddress(request, trusted)).toBe((request as Request).ip);
      },
    ),
  );
});
