import {
  BedrockAgentClient,
  ConflictException,
  DeleteKnowledgeBaseDocumentsCommand,
  GetIngestionJobCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
  ListKnowledgeBaseDocumentsCommand,
  StartIngestionJobCommand,
} from '@aws-sdk/client-bedrock-agent';
import type { DocumentIdentifier, IngestionJob, KnowledgeBaseDocumentDetail } from '@aws-sdk/client-bedrock-agent';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';

/** Bedrock's limit of documents a call. */
export const documentsPerCall = 25;

/** A document as the knowledge base knows it; `NOT_FOUND` when it does not. */
export interface DocumentState {
  /** `s3://bucket/key` */
  readonly uri: string;
  /** Bedrock's own name, e.g. `PENDING`, `INDEXED`, `FAILED`. */
  readonly status: string;
  readonly reason?: string;
}

export interface DocumentToIngest {
  readonly uri: string;
  /** Of its metadata file. */
  readonly metadataUri: string;
}

export interface IngestionJobState {
  readonly id: string;
  /** `STARTING`, `IN_PROGRESS`, `COMPLETE`, `FAILED`, `STOPPING` or `STOPPED`. */
  readonly status: string;
  readonly reasons: readonly string[];
}

/** The knowledge base's documents. At most `documentsPerCall` documents a call. */
export interface BedrockAgent {
  /** Indexes documents from S3, each with its metadata file. Searchable some time after INDEXED. */
  ingestDocuments(documents: readonly DocumentToIngest[], signal?: AbortSignal): Promise<DocumentState[]>;
  getDocuments(uris: readonly string[], signal?: AbortSignal): Promise<DocumentState[]>;
  /** Takes documents out of the index; unknown ones answer `NOT_FOUND`. */
  deleteDocuments(uris: readonly string[], signal?: AbortSignal): Promise<DocumentState[]>;
  /** Every document of the data source. */
  listDocuments(signal?: AbortSignal): AsyncIterable<DocumentState>;
  /** Makes the index mirror the bucket. `busy` while another ingestion job or a direct call is at it. */
  startIngestionJob(description: string, signal?: AbortSignal): Promise<IngestionJobState | 'busy'>;
  getIngestionJob(id: string, signal?: AbortSignal): Promise<IngestionJobState>;
  close(): void;
}

/** Bedrock's control plane behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createBedrockAgent(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'knowledge_base'>;
  readonly resilience: Resilience;
}): BedrockAgent {
  const { settings, resilience } = deps;
  const client = new BedrockAgentClient(clientOptions(settings));
  const source = {
    knowledgeBaseId: settings.knowledge_base.id,
    dataSourceId: settings.knowledge_base.data_source_id,
  };
  const call = <T>(operation: string, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    resilience.call({ upstream: 'knowledge-base', operation, ...(caller ? { signal: caller } : {}) }, work);

  return {
    ingestDocuments: (documents, caller) =>
      call('IngestKnowledgeBaseDocuments', caller, async (signal) => {
        const command = new IngestKnowledgeBaseDocumentsCommand({
          ...source,
          documents: documents.map(({ uri, metadataUri }) => ({
            content: { dataSourceType: 'S3', s3: { s3Location: { uri } } },
            metadata: { type: 'S3_LOCATION', s3Location: { uri: metadataUri } },
          })),
        });
        return statesOf((await client.send(command, { abortSignal: signal })).documentDetails);
      }),

    getDocuments: (uris, caller) =>
      call('GetKnowledgeBaseDocuments', caller, async (signal) => {
        const command = new GetKnowledgeBaseDocumentsCommand({ ...source, documentIdentifiers: identifiers(uris) });
        return statesOf((await client.send(command, { abortSignal: signal })).documentDetails);
      }),

    deleteDocuments: (uris, caller) =>
      call('DeleteKnowledgeBaseDocuments', caller, async (signal) => {
        const command = new DeleteKnowledgeBaseDocumentsCommand({ ...source, documentIdentifiers: identifiers(uris) });
        return statesOf((await client.send(command, { abortSignal: signal })).documentDetails);
      }),

    async *listDocuments(caller) {
      let token: string | undefined;
      do {
        const page = token === undefined ? {} : { nextToken: token };
        const output = await call('ListKnowledgeBaseDocuments', caller, (signal) =>
          client.send(new ListKnowledgeBaseDocumentsCommand({ ...source, ...page }), { abortSignal: signal }),
        );
        yield* statesOf(output.documentDetails);
        token = output.nextToken;
      } while (token !== undefined);
    },

    startIngestionJob: (description, caller) =>
      call('StartIngestionJob', caller, async (signal) => {
        try {
          const output = await client.send(new StartIngestionJobCommand({ ...source, description }), {
            abortSignal: signal,
          });
          return jobOf(output.ingestionJob);
        } catch (error) {
          if (error instanceof ConflictException) return 'busy';
          throw error;
        }
      }),

    getIngestionJob: (id, caller) =>
      call('GetIngestionJob', caller, async (signal) => {
        const output = await client.send(new GetIngestionJobCommand({ ...source, ingestionJobId: id }), {
          abortSignal: signal,
        });
        return jobOf(output.ingestionJob);
      }),

    close: () => client.destroy(),
  };
}

const identifiers = (uris: readonly string[]): DocumentIdentifier[] =>
  uris.map((uri) => ({ dataSourceType: 'S3', s3: { uri } }));

function statesOf(details: readonly KnowledgeBaseDocumentDetail[] | undefined): DocumentState[] {
  return (details ?? []).flatMap(({ identifier, status, statusReason }) => {
    const uri = identifier?.s3?.uri;
    if (uri === undefined || status === undefined) return [];
    return [{ uri, status, ...(statusReason === undefined ? {} : { reason: statusReason }) }];
  });
}

function jobOf(job: IngestionJob | undefined): IngestionJobState {
  if (job?.ingestionJobId === undefined || job.status === undefined) {
    throw new Error('Bedrock answered without the ingestion job that was asked for');
  }
  return { id: job.ingestionJobId, status: job.status, reasons: job.failureReasons ?? [] };
}
