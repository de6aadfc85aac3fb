import type { ServerResponse } from 'node:http';
import type { KnowledgeBase } from '../knowledge-base/index.ts';
import {
  parseDocumentIdentifiers,
  parseDocuments,
  parseJobList,
  parsePage,
  readClientToken,
  readOptionalString,
} from '../knowledge-base/wire/agent-requests.ts';
import {
  dataSource,
  dataSourceSummary,
  documentDetail,
  ingestionJob,
  knowledgeBaseDetail,
  knowledgeBaseSummary,
} from '../knowledge-base/wire/agent-shapes.ts';
import { RequestRates } from '../knowledge-base/wire/request-rates.ts';
import { findRoute, pathParameters, readJson, sendJson, type Route } from '../knowledge-base/wire/rest-json.ts';
import { AwsError, type AwsRequest, type AwsService, type AwsServiceOptions } from '../service.ts';

const SOURCE = '/knowledgebases/{knowledgeBaseId}/datasources/{dataSourceId}';

const ROUTES: readonly Route[] = [
  { operation: 'ListKnowledgeBases', method: 'POST', path: '/knowledgebases' },
  { operation: 'GetKnowledgeBase', method: 'GET', path: '/knowledgebases/{knowledgeBaseId}' },
  { operation: 'ListDataSources', method: 'POST', path: '/knowledgebases/{knowledgeBaseId}/datasources' },
  { operation: 'GetDataSource', method: 'GET', path: SOURCE },
  { operation: 'IngestKnowledgeBaseDocuments', method: 'PUT', path: `${SOURCE}/documents` },
  { operation: 'ListKnowledgeBaseDocuments', method: 'POST', path: `${SOURCE}/documents` },
  { operation: 'GetKnowledgeBaseDocuments', method: 'POST', path: `${SOURCE}/documents/getDocuments` },
  { operation: 'DeleteKnowledgeBaseDocuments', method: 'POST', path: `${SOURCE}/documents/deleteDocuments` },
  { operation: 'StartIngestionJob', method: 'PUT', path: `${SOURCE}/ingestionjobs` },
  { operation: 'ListIngestionJobs', method: 'POST', path: `${SOURCE}/ingestionjobs` },
  { operation: 'GetIngestionJob', method: 'GET', path: `${SOURCE}/ingestionjobs/{ingestionJobId}` },
  { operation: 'StopIngestionJob', method: 'POST', path: `${SOURCE}/ingestionjobs/{ingestionJobId}/stop` },
];

interface Context extends AwsServiceOptions {
  readonly knowledgeBase: KnowledgeBase;
  readonly rates?: RequestRates;
}
type Body = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;
type Answer = readonly [status: number, body: object];
type Handler = (context: Context, body: Body, parameters: Parameters) => Answer | Promise<Answer>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  ListKnowledgeBases: (context) => [200, { knowledgeBaseSummaries: [knowledgeBaseSummary(context)] }],
  GetKnowledgeBase: (context) => [200, { knowledgeBase: knowledgeBaseDetail(context) }],
  ListDataSources: (context) => [200, { dataSourceSummaries: [dataSourceSummary(context)] }],
  GetDataSource: (context) => [200, { dataSource: dataSource(context) }],
  IngestKnowledgeBaseDocuments: ingestDocuments,
  ListKnowledgeBaseDocuments: listDocuments,
  GetKnowledgeBaseDocuments: getDocuments,
  DeleteKnowledgeBaseDocuments: deleteDocuments,
  StartIngestionJob: async (context, body) => {
    const job = await context.knowledgeBase.jobs.start(
      readOptionalString(body, 'description', 200),
      readClientToken(body),
    );
    return [202, { ingestionJob: ingestionJob(context, job) }];
  },
  ListIngestionJobs: listJobs,
  GetIngestionJob: (context, _, { ingestionJobId }) => [
    200,
    { ingestionJob: ingestionJob(context, context.knowledgeBase.jobs.get(ingestionJobId ?? '')) },
  ],
  StopIngestionJob: async (context, _, { ingestionJobId }) => [
    202,
    { ingestionJob: ingestionJob(context, await context.knowledgeBase.jobs.stop(ingestionJobId ?? '')) },
  ],
};

/** Bedrock's control plane of the one local knowledge base and its one S3 data source. */
export async function createBedrockAgent(
  options: AwsServiceOptions & { readonly knowledgeBase: KnowledgeBase },
): Promise<AwsService> {
  const context: Context = options.knowledgeBase.enforceQuotas ? { ...options, rates: new RequestRates() } : options;
  return {
    name: 'bedrock-agent',
    errorProtocol: 'rest-json',
    operationOf: (request) => findRoute(ROUTES, request)?.operation,
    handle: (operation, request, response) => handle(context, operation, request, response),
    close: () => Promise.resolve(),
  };
}

async function handle(
  context: Context,
  operation: string,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const route = ROUTES.find((candidate) => candidate.operation === operation);
  const handler = HANDLERS[operation];
  if (route === undefined || handler === undefined) {
    throw new AwsError('UnknownOperationException', 'There is no such operation.', 404);
  }
  const parameters = pathParameters(route, request.path);
  requireResources(context.knowledgeBase, parameters);
  context.rates?.take(operation);
  const [status, body] = await handler(context, await readJson(request), parameters);
  sendJson(response, status, body);
}

function requireResources(knowledgeBase: KnowledgeBase, { knowledgeBaseId, dataSourceId }: Parameters): void {
  if (knowledgeBaseId !== undefined && knowledgeBaseId !== knowledgeBase.knowledgeBaseId) {
    throw new AwsError('ResourceNotFoundException', `Knowledge base with id ${knowledgeBaseId} does not exist.`, 404);
  }
  if (dataSourceId !== undefined && dataSourceId !== knowledgeBase.dataSourceId) {
    throw new AwsError('ResourceNotFoundException', `Data source with id ${dataSourceId} does not exist.`, 404);
  }
}

async function ingestDocuments(context: Context, body: Body): Promise<Answer> {
  readClientToken(body);
  const details: object[] = [];
  for (const { uri, metadataUri } of parseDocuments(body)) {
    details.push(documentDetail(context, uri, await context.knowledgeBase.ingest(uri, metadataUri)));
  }
  return [202, { documentDetails: details }];
}

function getDocuments(context: Context, body: Body): Answer {
  const uris = parseDocumentIdentifiers(body);
  return [200, { documentDetails: uris.map((uri) => documentDetail(context, uri, context.knowledgeBase.record(uri))) }];
}

function listDocuments(context: Context, body: Body): Answer {
  const page = parsePage(body, context.knowledgeBase.records());
  return [
    200,
    { documentDetails: page.items.map((record) => documentDetail(context, record.uri, record)), ...page.next },
  ];
}

async function deleteDocuments(context: Context, body: Body): Promise<Answer> {
  const details: object[] = [];
  for (const uri of parseDocumentIdentifiers(body)) {
    details.push(documentDetail(context, uri, await context.knowledgeBase.delete(uri)));
  }
  return [202, { documentDetails: details }];
}

function listJobs(context: Context, body: Body): Answer {
  const { statuses, ascending } = parseJobList(body);
  const jobs = context.knowledgeBase.jobs.list().filter((job) => statuses?.has(job.status) ?? true);
  const page = parsePage(body, ascending ? jobs.toReversed() : jobs);
  return [200, { ingestionJobSummaries: page.items.map((job) => ingestionJob(context, job)), ...page.next }];
}
