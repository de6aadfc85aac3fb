import { describeApi } from '../openapi/describe-api.ts';
import { docsPage } from '../openapi/docs-page.ts';
import { type Operation, operation } from '../operation.ts';

/** The API's description of itself, made once at the first request. `all` is the whole table, these two included. */
export function documentOperations(all: () => readonly Operation[]): readonly Operation[] {
  let description: Record<string, unknown> | undefined;
  const described = (): Record<string, unknown> => (description ??= describeApi(all()));
  let page: Buffer | undefined;
  return [
    operation({
      id: 'openapi',
      method: 'get',
      path: '/openapi.json',
      tag: 'Service',
      summary: 'This description',
      access: 'open',
      answers: { 200: { description: 'OpenAPI 3.1', contentType: 'application/json' } },
      errors: [],
      handle: () => ({ status: 200, body: described() }),
    }),
    operation({
      id: 'docs',
      method: 'get',
      path: '/docs',
      tag: 'Service',
      summary: 'This description as a page',
      access: 'open',
      answers: { 200: { description: 'HTML', contentType: 'text/html' } },
      errors: [],
      async handle(_gateway, { response }) {
        page ??= Buffer.from(docsPage(described()));
        response.type('html').send(page);
      },
    }),
  ];
}
