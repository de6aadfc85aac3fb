import type { BedrockAgentRuntime } from '@manuel/aws';
import type { Settings } from '@manuel/settings';
import type { IndexState, ManualIndex } from '../domain/outside.ts';
import type { BoardOperation, IndexBoard } from './index/index-board.ts';

const operations = { add: 'ingest', remove: 'delete' } as const satisfies Record<string, BoardOperation>;

/** The domain's index over the shared board and Bedrock's search. `wake`: there is work for this worker's own loops. */
export function createManualIndex(deps: {
  readonly board: IndexBoard;
  readonly search: BedrockAgentRuntime;
  readonly settings: Pick<Settings, 'ingest'>;
  readonly wake: () => void;
}): ManualIndex {
  const { board, search, settings, wake } = deps;
  const ask = async (kind: keyof typeof operations, uri: string, userId: string): Promise<void> => {
    await board.request(operations[kind], uri, userId);
    wake();
  };
  return {
    add: (uri, userId) => ask('add', uri, userId),
    remove: (uri, userId) => ask('remove', uri, userId),
    async state(kind, uri): Promise<IndexState> {
      const entry = await board.entry(uri);
      if (entry?.op !== operations[kind]) return { phase: 'unknown' };
      if (entry.phase === 'failed') return { phase: 'failed', reason: entry.reason ?? 'no reason given' };
      if (entry.phase === 'done') return { phase: 'done' };
      wake();
      return { phase: 'under way' };
    },
    forget: (uri) => board.forget(uri),
    turnToSearch: () => board.reserve('probe', settings.ingest.probes_per_s),
    async finds({ userId, manualId, words }, signal) {
      const passages = await search.retrieve(
        { ownerId: userId, text: words, limit: 1, manualIds: [manualId] },
        { signal },
      );
      return passages.length > 0;
    },
  };
}
