import { api } from './api.js';

const longestPauseMs = 10_000;

/**
 * The user's events over one WebSocket, whatever happens to it: connects again by itself and resumes after the last event,
 * so that nothing is lost and nothing comes twice.
 */
export class Events {
  #listeners = new Set();
  #lastEventId;
  #socket;
  #pauseMs = 500;
  #stopped = false;

  /** `listener` gets every message; returns what ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start() {
    this.#stopped = false;
    try {
      const { body } = await api('POST', '/api/ws-ticket');
      const address = new URL('/ws', location.href);
      address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
      address.searchParams.set('ticket', body.ticket);
      this.#open(new WebSocket(address));
    } catch {
      this.#again();
    }
  }

  stop() {
    this.#stopped = true;
    this.#socket?.close();
  }

  #open(socket) {
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#pauseMs = 500;
      if (this.#lastEventId) socket.send(JSON.stringify({ type: 'resume', last_event_id: this.#lastEventId }));
    });
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'hello') this.#lastEventId ??= message.last_event_id;
      else if (message.id) this.#lastEventId = message.id;
      for (const listener of this.#listeners) listener(message);
    });
    socket.addEventListener('close', () => this.#again());
  }

  #again() {
    if (this.#stopped) return;
    setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }
}
