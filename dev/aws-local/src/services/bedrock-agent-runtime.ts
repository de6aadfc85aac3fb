import { parseFilter, type Filter } from '../knowledge-base/filter/filter.ts';
import type { KnowledgeBase } from '../knowledge-base/index.ts';
import type { SearchHit } from '../knowledge-base/search/search.ts';
import {
  findRoute,
  invalidValue,
  isRecord,
  pathParameters,
  readJson,
  sendJson,
  type Route,
} from '../knowledge-base/wire/rest-json.ts';
import { readToken, writeToken } from '../knowledge-base/wire/page-token.ts';
import { AwsError, type AwsService, type AwsServiceOptions } from '../service.ts';

const ROUTES: readonly Route[] = [
  { operation: 'Retrieve', method: 'POST', path: '/knowledgebases/{knowledgeBaseId}/retrieve' },
];

const MAX_QUERY_CHARACTERS = 20_000;
const DEFAULT_RESULTS = 5;
const MAX_RESULTS = 100;
/** Results beyond this many characters of text are left to the next page. */
const MAX_RESPONSE_CHARACTERS = 256 * 1024;

interface RetrieveRequest {
  readonly text: string;
  readonly limit: number;
  readonly filter: Filter | undefined;
  readonly semantic: boolean;
  /** How many results earlier pages held. */
  readonly offset: number;
}

/** Bedrock's `Retrieve` over the local knowledge base. */
export async function createBedrockAgentRuntime(
  options: AwsServiceOptions & { readonly knowledgeBase: KnowledgeBase },
): Promise<AwsService> {
  const { knowledgeBase } = options;
  return {
    name: 'bedrock-agent-runtime',
    errorProtocol: 'rest-json',
    operationOf: (request) => findRoute(ROUTES, request)?.operation,
    async handle(_operation, request, response) {
      const route = findRoute(ROUTES, request);
      if (route === undefined) throw new AwsError('UnknownOperationException', 'There is no such operation.', 404);
      const { knowledgeBaseId } = pathParameters(route, request.path);
      if (knowledgeBaseId !== knowledgeBase.knowledgeBaseId) {
        throw new AwsError(
          'ResourceNotFoundException',
          `Knowledge base with id ${knowledgeBaseId} does not exist.`,
          404,
        );
      }
      const input = parseRequest(await readJson(request));
      const hits = await knowledgeBase.retrieve(input);
      const page = pageOf(hits.slice(input.offset));
      const retrievalResults = page.map((hit) => resultOf(hit, knowledgeBase.dataSourceId));
      const next = input.offset + page.length;
      sendJson(response, 200, { retrievalResults, ...(next < hits.length ? { nextToken: writeToken(next) } : {}) });
    },
    close: () => Promise.resolve(),
  };
}

function parseRequest(body: Record<string, unknown>): RetrieveRequest {
  const query = body['retrievalQuery'];
  if (!isRecord(query)) throw invalidValue('retrievalQuery', 'Member must not be null');
  const { text, type } = query;
  if (type !== undefined && type !== 'TEXT')
    throw invalidValue('retrievalQuery.type', 'Member must satisfy enum value set: [TEXT]');
  if (typeof text !== 'string' || text.trim() === '')
    throw invalidValue('retrievalQuery.text', 'Member must not be empty');
  if (text.length > MAX_QUERY_CHARACTERS) {
    throw invalidValue('retrievalQuery.text', `Member must have length less than or equal to ${MAX_QUERY_CHARACTERS}`);
  }
  for (const unsupported of ['guardrailConfiguration', 'userContext']) {
    if (body[unsupported] !== undefined) {
      throw new AwsError('ValidationException', `${unsupported} is not offered by the local knowledge base.`);
    }
  }
  return { text, offset: readToken(body['nextToken']), ...parseConfiguration(body['retrievalConfiguration']) };
}

function pageOf(hits: readonly SearchHit[]): SearchHit[] {
  let characters = 0;
  return hits.filter(({ text }, position) => {
    characters += text.length;
    return position === 0 || characters <= MAX_RESPONSE_CHARACTERS;
  });
}

function parseConfiguration(configuration: unknown): Pick<RetrieveRequest, 'limit' | 'filter' | 'semantic'> {
  if (configuration === undefined) return { limit: DEFAULT_RESULTS, filter: undefined, semantic: false };
  if (!isRecord(configuration)) throw invalidValue('retrievalConfiguration', 'Member must be an object');
  const search = configuration['vectorSearchConfiguration'];
  if (!isRecord(search))
    throw invalidValue('retrievalConfiguration.vectorSearchConfiguration', 'Member must not be null');
  const path = 'retrievalConfiguration.vectorSearchConfiguration';
  const limit = search['numberOfResults'] ?? DEFAULT_RESULTS;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS) {
    throw invalidValue(`${path}.numberOfResults`, `Member must be between 1 and ${MAX_RESULTS}`);
  }
  const type = search['overrideSearchType'];
  if (type !== undefined && type !== 'HYBRID' && type !== 'SEMANTIC') {
    throw invalidValue(`${path}.overrideSearchType`, 'Member must satisfy enum value set: [HYBRID, SEMANTIC]');
  }
  for (const unsupported of ['rerankingConfiguration', 'implicitFilterConfiguration']) {
    if (search[unsupported] !== undefined) {
      throw new AwsError('ValidationException', `${path}.${unsupported} is not offered by the local knowledge base.`);
    }
  }
  const filter = search['filter'] === undefined ? undefined : parseFilter(search['filter']);
  return { limit, filter, semantic: type === 'SEMANTIC' };
}

function resultOf({ document, passage, text, ordinal, score }: SearchHit, dataSourceId: string): object {
  return {
    content: { type: 'TEXT', text },
    location: { type: 'S3', s3Location: { uri: document.uri } },
    score,
    metadata: {
      ...document.metadata,
      'x-amz-bedrock-kb-source-uri': document.uri,
      'x-amz-bedrock-kb-data-source-id': dataSourceId,
      'x-amz-bedrock-kb-chunk-id': `${document.id}-${ordinal}`,
      // Bedrock counts pages from 0.
      ...(document.paged
        ? { 'x-amz-bedrock-kb-document-page-number': (document.pages[passage.page]?.number ?? 1) - 1 }
        : {}),
    },
  };
}
