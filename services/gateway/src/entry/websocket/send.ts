import type { ServerMessage } from '@manuel/contracts';
import { WebSocket } from 'ws';

/** Close codes; 4000 to 4999 are our own. */
export const closeCodes = { goingAway: 1001, tooLarge: 1009, tryAgain: 1013, expired: 4001, slow: 4008 } as const;

/** Time a client has to answer our close before the socket is cut. */
const closeGraceMs = 1000;
/** One that was too slow reads what is on its way first, and only then why nothing follows. */
const slowGraceMs = 30_000;

/** Closes with a code; cuts the connection when the other side does not answer. */
export function closeSocket(socket: WebSocket, code: number, reason: string, graceMs = closeGraceMs): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  // One that is held back would not hear the client's answer.
  if (socket.isPaused) socket.resume();
  socket.close(code, reason);
  const cut = setTimeout(() => socket.terminate(), graceMs);
  socket.once('close', () => clearTimeout(cut));
}

/** Sends a message; a client that lags by more than `maxBufferedBytes` is cut with 4008, not buffered without end. */
export function sendMessage(
  socket: WebSocket,
  message: ServerMessage,
  maxBufferedBytes: number,
  sent: () => void = () => undefined,
): void {
  if (socket.readyState !== WebSocket.OPEN) {
    sent();
    return;
  }
  if (socket.bufferedAmount > maxBufferedBytes) {
    closeSocket(socket, closeCodes.slow, 'too slow', slowGraceMs);
    sent();
    return;
  }
  socket.send(JSON.stringify(message), sent);
}
