import { expect, test } from '@jest/globals';
import { silentLogger } from '@manuel/telemetry';
import type { Alert } from '../domain/outside.ts';
import { createAlertOutbox } from './alert-outbox.ts';

const alert = (subject: string): Alert => ({ subject, message: '{}', attributes: {} });

test('an alert that could not be sent goes out with the next round, once', async () => {
  const sent: string[] = [];
  let down = true;
  const outbox = createAlertOutbox(async ({ subject }) => {
    if (down) throw new Error('SNS is away');
    sent.push(subject);
  }, silentLogger());
  await outbox.put(alert('one'));
  await outbox.put(alert('two'));
  await outbox.flush();
  expect(sent).toEqual([]);
  down = false;
  await outbox.flush();
  await outbox.flush();
  expect(sent).toEqual(['one', 'two']);
});
