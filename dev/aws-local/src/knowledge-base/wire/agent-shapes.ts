import type { IngestionJob } from '../ingest/ingestion-jobs.ts';
import type { KnowledgeBase } from '../knowledge-base.ts';
import type { DocumentRecord } from '../store/document-record.ts';

export interface ShapeContext {
  readonly knowledgeBase: KnowledgeBase;
  readonly region: string;
  readonly accountId: string;
}

const NAME = 'manuel-manuals';
const SOURCE_NAME = 'manuel-manuals-s3';
/** The local knowledge base is neither changed nor moved, so its times are fixed. */
const CREATED_AT = '2025-01-01T00:00:00.000Z';

export function knowledgeBaseSummary({ knowledgeBase }: ShapeContext): object {
  return { knowledgeBaseId: knowledgeBase.knowledgeBaseId, name: NAME, status: 'ACTIVE', updatedAt: CREATED_AT };
}

export function knowledgeBaseDetail(context: ShapeContext): object {
  const { knowledgeBase, region, accountId } = context;
  const id = knowledgeBase.knowledgeBaseId;
  return {
    ...knowledgeBaseSummary(context),
    knowledgeBaseArn: `arn:aws:bedrock:${region}:${accountId}:knowledge-base/${id}`,
    roleArn: `arn:aws:iam::${accountId}:role/manuel-local-knowledge-base`,
    knowledgeBaseConfiguration: {
      type: 'VECTOR',
      vectorKnowledgeBaseConfiguration: {
        embeddingModelArn: `arn:aws:bedrock:${region}::foundation-model/amazon.titan-embed-text-v2:0`,
      },
    },
    createdAt: CREATED_AT,
  };
}

export function dataSourceSummary({ knowledgeBase }: ShapeContext): object {
  return {
    knowledgeBaseId: knowledgeBase.knowledgeBaseId,
    dataSourceId: knowledgeBase.dataSourceId,
    name: SOURCE_NAME,
    status: 'AVAILABLE',
    updatedAt: CREATED_AT,
  };
}

export function dataSource(context: ShapeContext): object {
  const { bucket, prefix } = context.knowledgeBase;
  const bucketArn = `arn:aws:s3:::${bucket}`;
  return {
    ...dataSourceSummary(context),
    dataSourceConfiguration: {
      type: 'S3',
      s3Configuration: prefix === '' ? { bucketArn } : { bucketArn, inclusionPrefixes: [prefix] },
    },
    dataDeletionPolicy: 'DELETE',
    createdAt: CREATED_AT,
  };
}

/** A document that the knowledge base does not know has the status NOT_FOUND. */
export function documentDetail(context: ShapeContext, uri: string, record: DocumentRecord | undefined): object {
  return {
    knowledgeBaseId: context.knowledgeBase.knowledgeBaseId,
    dataSourceId: context.knowledgeBase.dataSourceId,
    identifier: { dataSourceType: 'S3', s3: { uri } },
    status: record?.status ?? 'NOT_FOUND',
    ...(record?.statusReason === undefined ? {} : { statusReason: record.statusReason }),
    updatedAt: record?.updatedAt ?? new Date().toISOString(),
  };
}

export function ingestionJob({ knowledgeBase }: ShapeContext, job: IngestionJob): object {
  const { knowledgeBaseId, dataSourceId } = knowledgeBase;
  return { knowledgeBaseId, dataSourceId, ...job };
}
