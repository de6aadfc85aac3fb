import { Agent, request } from 'node:http';

export interface JsonPoster {
  /** The answer's JSON. Throws when the connection fails, or on another status than `expected`. */
  post(path: string, body: unknown, expected: number): Promise<unknown>;
  close(): void;
}

/** Node's own HTTP client on kept connections: `fetch` alone costs as much as what is measured. */
export function jsonPoster(url: string, headers: Readonly<Record<string, string>>): JsonPoster {
  const agent = new Agent({ keepAlive: true });
  return {
    post(path, body, expected) {
      const text = JSON.stringify(body);
      return new Promise((resolve, reject) => {
        const outgoing = request(
          `${url}${path}`,
          {
            method: 'POST',
            agent,
            headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
          },
          (response) => {
            let answer = '';
            response.setEncoding('utf8');
            response.on('data', (part: string) => (answer += part));
            response.on('end', () => {
              if (response.statusCode === expected) resolve(JSON.parse(answer));
              else reject(new Error(`${path} answered ${response.statusCode}: ${answer}`));
            });
            response.on('error', reject);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(text);
      });
    },
    close: () => agent.destroy(),
  };
}
