import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { ManuelError } from '@manuel/contracts';
import type { Gateway } from '../../context.ts';
import { isOperator, isViewer } from '../../domain/caller.ts';
import { callerOf } from '../http/authenticate.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import { stateOf } from '../http/request-state.ts';
import { signInPage, statePage } from './ops-page.ts';
import { queueBoard } from './queue-board.ts';
import { readHealth } from './read-health.ts';
import { checkSameOrigin, clearSession, readSession, requireViewer, setSession } from './session.ts';

const formBytes = 4096;
const signInSchema = z.object({ username: z.string().min(1).max(128), password: z.string().min(1).max(256) });

function sendPage(response: Response, status: number, html: string): void {
  response.status(status).set('Cache-Control', 'no-store').type('html').send(html);
}

const route =
  (name: string): RequestHandler =>
  (request, _response, next) => {
    stateOf(request).route = name;
    next();
  };

/** Signs in at the user pool, from the server, so that the page needs no script; only operators and viewers get a session. */
async function signIn(gateway: Gateway, request: Request, response: Response): Promise<void> {
  checkSameOrigin(request);
  const form = signInSchema.safeParse(request.body);
  const signedIn = form.success ? await gateway.userPool.signIn(form.data.username, form.data.password) : undefined;
  if (!signedIn) {
    sendPage(response, 401, signInPage('E-mail or password is wrong.'));
    return;
  }
  const identity = await gateway.tokens.verify(signedIn.accessToken);
  if (!isViewer(identity)) {
    sendPage(response, 403, signInPage('This account is not one of the operators’.'));
    return;
  }
  gateway.logger.info('operator signed in', { user_id: identity.userId });
  setSession(request, response, signedIn.accessToken, signedIn.expiresInS);
  response.redirect(303, '/ops');
}

/** Everything under `/ops`: sign-in, the state at a glance, Bull Board. */
export function opsRoutes(gateway: Gateway, limits: RateLimits): Router {
  const router = Router();
  const viewer = requireViewer(gateway.tokens);
  router.get('/', route('/ops'), limits.byAddress, async (request, response) => {
    const known = request.headers.authorization === undefined && (await readSession(gateway.tokens, request));
    if (!known && request.headers.authorization === undefined) {
      sendPage(response, 200, signInPage());
      return;
    }
    await viewer(request, response, () => undefined);
    const caller = callerOf(request);
    if (!isViewer(caller)) throw new ManuelError('forbidden', 'This is for operators.');
    sendPage(response, 200, statePage(await readHealth(gateway), isOperator(caller) ? 'operator' : 'viewer'));
  });
  router.post(
    '/session',
    route('/ops/session'),
    limits.byAddress,
    express.urlencoded({ extended: false, limit: formBytes }),
    (request, response) => signIn(gateway, request, response),
  );
  router.post('/sign-out', route('/ops/sign-out'), (request, response) => {
    checkSameOrigin(request);
    clearSession(request, response);
    response.redirect(303, '/ops');
  });
  // The board loads dozens of files and asks every few seconds: it has no limit beyond its door.
  router.use('/queues', route('/ops/queues'), viewer, queueBoard(gateway.inspector));
  return router;
}
