import { settingsWith, type SettingsOverrides } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { createLedger } from '../ledger.ts';
import type { Ledger } from '../types.ts';
import { type LocalDynamo, startLocalDynamo } from './local-dynamo.ts';

/** What createLedger wants, with quick retries. */
export const testDependencies = (overrides: SettingsOverrides = {}) => ({
  settings: settingsWith({
    ledger: { timeout_ms: 900, effect_timeout_ms: 3000 },
    retry: { dynamodb: { base_delay_ms: 10 } },
    ...overrides,
  }),
  logger: silentLogger(),
  metrics: createMetrics('test'),
});

/** A ledger with its tables on a DynamoDB of its own. `environment`: the process's, where the SDK looks for it. */
export async function startTestLedger(
  environment: Record<string, string | undefined>,
): Promise<{ dynamo: LocalDynamo; ledger: Ledger; close(): Promise<void> }> {
  const dynamo = await startLocalDynamo();
  Object.assign(environment, {
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const ledger = createLedger(testDependencies());
  await ledger.createTables();
  return {
    dynamo,
    ledger,
    close: async () => {
      await ledger.close();
      await dynamo.close();
    },
  };
}
