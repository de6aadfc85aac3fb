import { describeApi } from '../openapi/describe-api.ts';
import type { Operation } from '../operation.ts';
import { askOperations } from './ask.ts';
import { documentOperations } from './documents.ts';
import { jobOperations } from './jobs.ts';
import { manualOperations } from './manuals.ts';
import { opsOperations } from './ops.ts';
import { serviceOperations } from './service.ts';
import { userOperations } from './user.ts';

/** The table that routes, OpenAPI and the docs page are made from. What is asked most stands first. */
export const operations: readonly Operation[] = [
  ...askOperations,
  ...jobOperations,
  ...manualOperations,
  ...userOperations,
  ...opsOperations,
  ...serviceOperations,
  ...documentOperations(() => operations),
];

/** The OpenAPI 3.1 document. */
export const buildOpenApi = (): Record<string, unknown> => describeApi(operations);
