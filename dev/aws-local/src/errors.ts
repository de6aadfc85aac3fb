import type { ServerResponse } from 'node:http';
import { escapeXml } from './xml.ts';
import type { AwsError, ErrorProtocol } from './service.ts';

/** Writes an error the way the service's own wire protocol does. Does nothing once the answer has begun. */
export function writeError(
  response: ServerResponse,
  protocol: ErrorProtocol,
  error: AwsError,
  requestId: string,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const [contentType, body] = encode(protocol, error, requestId);
  response.statusCode = error.status;
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', Buffer.byteLength(body));
  if (protocol === 'rest-json') response.setHeader('x-amzn-errortype', error.code);
  // The rest of an upload is read and dropped: a client that is still sending would not see the answer otherwise.
  if (!response.req.complete) response.req.resume();
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function encode(protocol: ErrorProtocol, error: AwsError, requestId: string): [contentType: string, body: string] {
  const code = escapeXml(error.code);
  const message = escapeXml(error.message);
  switch (protocol) {
    case 'rest-json':
      return ['application/json', JSON.stringify({ message: error.message, ...error.details })];
    case 'aws-json-1.0':
      return [
        'application/x-amz-json-1.0',
        JSON.stringify({ __type: error.code, message: error.message, ...error.details }),
      ];
    case 'aws-json-1.1':
      return [
        'application/x-amz-json-1.1',
        JSON.stringify({ __type: error.code, message: error.message, ...error.details }),
      ];
    case 'query-xml': {
      const type = error.status < 500 ? 'Sender' : 'Receiver';
      return [
        'text/xml',
        `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>${type}</Type><Code>${code}</Code>` +
          `<Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      ];
    }
    case 's3-xml':
      return [
        'application/xml',
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>` +
          `<RequestId>${requestId}</RequestId><HostId>aws-local</HostId></Error>`,
      ];
  }
}
