import { type Dispatcher, Pool } from 'undici';

export interface JsonPoster {
  /** The answer's JSON. Throws when the connection fails, or on another status than `expected`. */
  post(path: string, body: unknown, expected: number): Promise<unknown>;
  close(): void;
}

/** Kept connections, at the lowest level of undici: what a client takes is measured along, so it had better be little. */
export function jsonPoster(url: string, headers: Readonly<Record<string, string>>): JsonPoster {
  const pool = new Pool(url);
  const all = { ...headers, 'content-type': 'application/json' };
  return {
    post(path, body, expected) {
      return new Promise((resolve, reject) => {
        let status = 0;
        let answer = '';
        const handler: Dispatcher.DispatchHandler = {
          // undici wants it.
          onRequestStart() {},
          onResponseStart(_controller, code) {
            status = code;
          },
          onResponseData(_controller, part) {
            answer += part.toString();
          },
          onResponseEnd() {
            if (status === expected) resolve(JSON.parse(answer));
            else reject(new Error(`${path} answered ${status}: ${answer}`));
          },
          onResponseError(_controller, error) {
            reject(error);
          },
        };
        pool.dispatch({ method: 'POST', path, headers: all, body: JSON.stringify(body) }, handler);
      });
    },
    close() {
      pool.destroy().catch(() => undefined);
    },
  };
}
