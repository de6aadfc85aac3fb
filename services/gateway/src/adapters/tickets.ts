import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ManuelError, type TicketView, userIdSchema } from '@manuel/contracts';
import type { Identity } from '../domain/caller.ts';

export interface Tickets {
  /** Throws `unavailable`. */
  issue(identity: Identity): Promise<TicketView>;
  /** Who a ticket was given to; it is used up by this. Undefined: unknown, used or expired. Throws `unavailable`. */
  redeem(ticket: string): Promise<Identity | undefined>;
}

const storedSchema = z.object({ userId: userIdSchema, groups: z.array(z.string()), expiresAtMs: z.number() });
const ticketForm = /^[A-Za-z0-9_-]{32}$/;

const unavailable = (cause: unknown): ManuelError =>
  new ManuelError('unavailable', 'Tickets cannot be handled at the moment. Try again soon.', { cause });

/** Single-use tickets in Redis, so that any gateway can redeem them. */
export function createTickets(redis: Redis, prefix: string, ttlS: number): Tickets {
  const keyOf = (ticket: string): string => `${prefix}:ticket:${ticket}`;
  return {
    async issue({ userId, groups, expiresAtMs }) {
      const ticket = randomBytes(24).toString('base64url');
      const stored = JSON.stringify({ userId, groups, expiresAtMs });
      const expiresAt = Date.now() + ttlS * 1000;
      try {
        await redis.set(keyOf(ticket), stored, 'EX', ttlS);
      } catch (error) {
        throw unavailable(error);
      }
      return { ticket, expires_at: new Date(expiresAt).toISOString() };
    },
    async redeem(ticket) {
      if (!ticketForm.test(ticket)) return undefined;
      let stored: string | null;
      try {
        stored = await redis.getdel(keyOf(ticket));
      } catch (error) {
        throw unavailable(error);
      }
      return stored === null ? undefined : storedSchema.parse(JSON.parse(stored));
    },
  };
}
