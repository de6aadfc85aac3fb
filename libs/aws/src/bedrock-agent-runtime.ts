import {
  BedrockAgentRuntimeClient,
  type KnowledgeBaseRetrievalResult,
  type RetrievalFilter,
  RetrieveCommand,
} from '@aws-sdk/client-bedrock-agent-runtime';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import type { CallLimits } from './bedrock-runtime.ts';
import { clientOptions } from './client-options.ts';

export interface RetrieveInput {
  /** Whose manuals: every search is narrowed to this owner. */
  readonly ownerId: string;
  readonly text: string;
  readonly limit: number;
  /** Only these manuals of the owner; undefined: all of them. */
  readonly manualIds?: readonly string[];
  /** Not these, whatever the index still holds. */
  readonly exceptManualIds?: readonly string[];
}

export interface RetrievedPassage {
  readonly manual_id: string;
  readonly filename: string;
  /** 1-based, as a reader counts; null where the format has no pages. */
  readonly page: number | null;
  readonly text: string;
  readonly score: number;
}

export interface BedrockAgentRuntime {
  /**
   * The best passages of the owner's manuals, best first. There is no way to search without an owner, and what comes back
   * under another owner's name is dropped.
   */
  retrieve(input: RetrieveInput, limits?: CallLimits): Promise<RetrievedPassage[]>;
  /** The cheapest search there is: whether Retrieve works. */
  ping(signal: AbortSignal): Promise<void>;
  close(): void;
}

const upstream = 'knowledge-base';
const operation = 'Retrieve';
/** No token bears this name, so a probe finds nobody's passages. */
const nobody = 'nobody';

/** Bedrock's filter for a search: the owner always, the manuals as narrowing and never instead of the owner. */
export function ownerFilter(input: Pick<RetrieveInput, 'ownerId' | 'manualIds' | 'exceptManualIds'>): RetrievalFilter {
  const owner: RetrievalFilter = { equals: { key: 'user_id', value: input.ownerId } };
  const narrow: RetrievalFilter[] = [];
  if (input.manualIds) narrow.push({ in: { key: 'manual_id', value: [...input.manualIds] } });
  if (input.exceptManualIds?.length) narrow.push({ notIn: { key: 'manual_id', value: [...input.exceptManualIds] } });
  return narrow.length === 0 ? owner : { andAll: [owner, ...narrow] };
}

function toPassage(result: KnowledgeBaseRetrievalResult, ownerId: string): RetrievedPassage | undefined {
  const { metadata = {}, content, score } = result;
  const manualId = metadata['manual_id'];
  if (metadata['user_id'] !== ownerId || typeof manualId !== 'string' || !content?.text) return undefined;
  const filename = metadata['original_filename'];
  // Bedrock counts pages from 0, readers from 1.
  const page = metadata['x-amz-bedrock-kb-document-page-number'];
  return {
    manual_id: manualId,
    filename: typeof filename === 'string' && filename !== '' ? filename : manualId,
    page: typeof page === 'number' ? Math.round(page) + 1 : null,
    text: content.text,
    score: score ?? 0,
  };
}

/** The knowledge base behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createBedrockAgentRuntime(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'knowledge_base'>;
  readonly resilience: Resilience;
}): BedrockAgentRuntime {
  const { settings, resilience } = deps;
  const client = new BedrockAgentRuntimeClient(clientOptions(settings));

  const send = (input: RetrieveInput, abortSignal: AbortSignal) =>
    client.send(
      new RetrieveCommand({
        knowledgeBaseId: settings.knowledge_base.id,
        retrievalQuery: { text: input.text },
        retrievalConfiguration: {
          vectorSearchConfiguration: {
            numberOfResults: input.limit,
            overrideSearchType: settings.knowledge_base.search_type,
            filter: ownerFilter(input),
          },
        },
      }),
      { abortSignal },
    );

  return {
    async retrieve(input, limits = {}) {
      if (input.manualIds?.length === 0) return [];
      const output = await resilience.call({ upstream, operation, ...limits }, (signal) => send(input, signal));
      return (output.retrievalResults ?? [])
        .map((result) => toPassage(result, input.ownerId))
        .filter((passage) => passage !== undefined);
    },
    async ping(signal) {
      await send({ ownerId: nobody, text: 'ping', limit: 1 }, signal);
    },
    close: () => client.destroy(),
  };
}
