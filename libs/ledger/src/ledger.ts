import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import { createConversationsLedger } from './conversations-ledger.ts';
import { createTables } from './create-tables.ts';
import { createDeadLettersLedger } from './dead-letters/dead-letters-ledger.ts';
import { Dynamo } from './dynamo/dynamo.ts';
import { createFeedbackLedger } from './feedback-ledger.ts';
import { createJobsLedger } from './jobs/jobs-ledger.ts';
import { createManualsLedger } from './manuals/manuals-ledger.ts';
import { tableDefinitions, tableKeys } from './tables.ts';
import type { Ledger } from './types.ts';
import { createUploadsLedger } from './uploads-ledger.ts';
import { createUsageLedger } from './usage/usage-ledger.ts';

/** The client is made here and its connections end with `close()`. Nothing is called yet. */
export function createLedger(deps: {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Ledger {
  const { settings, logger, metrics } = deps;
  const dynamo = new Dynamo({ settings, logger, metrics });
  const jobs = createJobsLedger(dynamo, settings);
  let tablesSeen = false;

  async function touch(table: (typeof tableKeys)[number]): Promise<void> {
    const { partition, sort } = tableDefinitions[table];
    // A row that nobody has: the answer shows that the table is there.
    const Key = { [partition]: '-', ...(sort === undefined ? {} : { [sort]: '-' }) };
    const request = { TableName: dynamo.table(table), Key };
    await dynamo.run('GetItem', 'request', (sender, options) => sender.send(new GetCommand(request), options));
  }

  async function close(): Promise<void> {
    await jobs.close();
    await dynamo.close();
  }

  return {
    jobs: jobs.jobs,
    usage: createUsageLedger(dynamo, settings),
    manuals: createManualsLedger(dynamo),
    conversations: createConversationsLedger(dynamo, settings),
    uploads: createUploadsLedger(dynamo),
    feedback: createFeedbackLedger(dynamo),
    deadLetters: createDeadLettersLedger(dynamo),
    createTables: () => createTables(dynamo, logger),
    async ping() {
      await Promise.all((tablesSeen ? (['jobs'] as const) : tableKeys).map(touch));
      tablesSeen = true;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
