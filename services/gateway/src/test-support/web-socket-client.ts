import { type ServerMessage, serverMessageSchema } from '@manuel/contracts';
import { waitFor } from '@manuel/testing';
import { type ClientOptions, WebSocket } from 'ws';

/** A client on `/ws` that remembers everything. */
export class TestClient {
  readonly messages: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  /** Status of a refused upgrade. */
  refused: number | undefined;
  readonly socket: WebSocket;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url.replace('http', 'ws'), options);
    this.socket.on('message', (data: Buffer) =>
      this.messages.push(serverMessageSchema.parse(JSON.parse(data.toString('utf8')))),
    );
    this.socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString('utf8') }));
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode;
      response.resume();
      request.destroy();
    });
    this.socket.on('error', (error) => {
      if (this.refused === undefined && this.closed === undefined) this.messages.push(errorMessage(error));
    });
  }

  /** Sends at once, or as the first thing when the socket opens. */
  send(message: unknown): void {
    const data = typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
    else this.socket.once('open', () => this.socket.send(data));
  }

  /** The first message of a type (that also fits `like`), when it comes. */
  next<T extends ServerMessage['type']>(
    type: T,
    like: (message: Extract<ServerMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<ServerMessage, { type: T }>> {
    const fits = (message: ServerMessage): message is Extract<ServerMessage, { type: T }> =>
      message.type === type && like(message as Extract<ServerMessage, { type: T }>);
    return waitFor(() => this.messages.find(fits), { what: `a message ${type}` });
  }

  /** The events so far, which are the messages with an id. */
  get events(): { id: string; type: string }[] {
    return this.messages.filter((message) => 'id' in message).map(({ id, type }) => ({ id, type }));
  }

  async close(): Promise<void> {
    this.socket.terminate();
    await waitFor(() => this.socket.readyState === WebSocket.CLOSED, { what: 'the socket to be closed' });
  }
}

const errorMessage = (error: Error): ServerMessage => ({
  type: 'error',
  problem: {
    type: 'test',
    title: 'the client broke',
    status: 0,
    code: 'internal',
    detail: error.message,
    request_id: '',
    retryable: false,
  },
});
