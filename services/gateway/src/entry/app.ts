import express, { type Express } from 'express';
import type { Gateway } from '../context.ts';
import { addressRefused, createAllowlist } from './http/allowlist.ts';
import { beginRequest } from './http/begin-request.ts';
import { clientAddress } from './http/client-address.ts';
import { cors } from './http/cors.ts';
import { problemHandler, unknownPath } from './http/problem.ts';
import type { RateLimits } from './http/rate-limit.ts';
import { securityHeaders } from './http/security-headers.ts';
import { opsRoutes } from './ops/ops-routes.ts';
import { pages } from './pages.ts';
import { addRoutes } from './routes.ts';

/** The express app: what every request passes through, then the table of operations, then the one error handler. */
export function createApp(gateway: Gateway, limits: RateLimits, browserOrigins: readonly string[]): Express {
  const { settings, logger } = gateway;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', settings.http.trusted_proxies);
  app.set('query parser', 'simple');

  const allowed = createAllowlist(settings.ip_allowlist);
  app.use(beginRequest(gateway));
  app.use(securityHeaders({ connect: browserOrigins }));
  if (settings.ip_allowlist.length > 0) {
    app.use((request, _response, next) => {
      if (!allowed(clientAddress(request, settings.http.trusted_proxies))) throw addressRefused();
      next();
    });
  }
  app.use(cors(settings.cors.origins));
  addRoutes(app, gateway, limits);
  app.use('/ops', opsRoutes(gateway, limits));
  app.use(pages());
  app.use(unknownPath);
  app.use(problemHandler(logger));
  return app;
}
