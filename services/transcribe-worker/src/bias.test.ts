import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newManualId, speechModelName, readSpeechModelName } from '@manuel/contracts';
import { forgetModels } from './domain/bias/forget-models.ts';
import { waitFor } from '@manuel/testing';
import { toneWav } from './test-support/wav.ts';
import { startVoiceStack, type VoiceStack } from './test-support/voice-stack.ts';

let stack: VoiceStack;
let users = 0;
let user: string;
let tone = 600;

beforeAll(async () => {
  stack = await startVoiceStack(process.env);
});
afterAll(() => stack.close());
beforeEach(() => {
  user = `speaker-${(users += 1)}`;
});

async function addManual(text: string): Promise<string> {
  const manual_id = newManualId();
  const s3_key = `manuals/${user}/${manual_id}/manual.txt`;
  const bucket = stack.settings.storage.manuals_bucket;
  await stack.s3.putObject({ bucket, key: s3_key, body: text, contentType: 'text/plain' });
  await stack.ledger.manuals.create({
    user_id: user,
    manual_id,
    filename: 'manual.txt',
    content_type: 'text/plain',
    bytes: text.length,
    pages: 1,
    status: 'ready',
    created_at: 1,
    updated_at: 1,
    s3_key,
    upload_method: 'body',
  });
  return manual_id;
}

const say = async (change: { language_code?: string } = {}) => {
  const source = await stack.store(user, toneWav(0.3, (tone += 1)), change);
  return stack.ended(user, await stack.submit(user, source));
};
const modelsOf = async (): Promise<string[]> =>
  (await Array.fromAsync(stack.context.models.names(`.${user}.`))).filter(
    (name) => readSpeechModelName(name)?.userId === user,
  );
/** The model that Transcribe was last told to use. */
const lastModel = (): string | undefined => stack.asked.at(-1)?.model?.name;

test('a recording is heard with a model of its owner’s manuals, made once and only of these', async () => {
  const ids = [await addManual('Descale the portafilter with Zirkonol.')];
  expect(await say()).toMatchObject({ status: 'completed' });
  expect(lastModel()).toBe(speechModelName(user, 'en-US', ids));
  expect(await modelsOf()).toEqual([lastModel()]);
  expect(await stack.keysOf(user)).toEqual([]);

  const made = async (): Promise<number> => (await stack.calls())['CreateLanguageModel'] ?? 0;
  const before = await made();
  await Promise.all([say(), say(), say()]);
  expect(await made()).toBe(before);

  // A user without manuals has none, and never a neighbour's.
  user = `${user}-neighbour`;
  await say();
  expect(lastModel()).toBeUndefined();
  expect(await modelsOf()).toEqual([]);
});

test('with another set of manuals there is another model, and the old one goes; deleted words go, too', async () => {
  const first = await addManual('Turn the Quibblator.');
  await say();
  const second = await addManual('Press the Wunderknopf.');
  await say();
  expect(lastModel()).toBe(speechModelName(user, 'en-US', [first, second]));
  expect(await modelsOf()).toEqual([lastModel()]);
  await stack.ledger.manuals.remove(user, first);
  await stack.ledger.manuals.remove(user, second);
  expect(await forgetModels(stack.context)).toBeGreaterThan(0);
  expect(await modelsOf()).toEqual([]);
});

test('whatever goes wrong with the model, the recording is heard', async () => {
  await addManual('A manual that is gone from the store.');
  const [row] = await stack.ledger.manuals.all(user);
  await stack.s3.deleteObjects(stack.settings.storage.manuals_bucket, [row?.s3_key ?? '']);
  expect(await say()).toMatchObject({ status: 'completed' });
  await addManual('Mind the Flurbel.');
  await stack.chaos({ service: 'transcribe', operation: 'CreateLanguageModel', fault: 'error', count: 3 });
  expect(await say()).toMatchObject({ status: 'completed' });
  expect(await modelsOf()).toEqual([]);
  expect(lastModel()).toBeUndefined();
  // A language that no model can be made for.
  expect(await say({ language_code: 'fr-FR' })).toMatchObject({ status: 'completed' });
  expect(lastModel()).toBeUndefined();
});

test('a model that was deleted meanwhile is done without', async () => {
  await addManual('Oil the Sprocketeer.');
  await say();
  for (const name of await modelsOf()) await stack.context.models.delete(name);
  expect(await say()).toMatchObject({ status: 'completed' });
  expect(stack.asked.slice(-2).map(({ model }) => model === undefined)).toEqual([false, true]);
});

test('what a live speaker lacked is made for the next time, and only for who has manuals', async () => {
  const ids = [await addManual('Grease the Wobbelator.')];
  await stack.wantModel(`${user}-neighbour`, 'en-US');
  await stack.wantModel(user, 'en-US');
  const [made] = await waitFor(
    async () => {
      const names = await modelsOf();
      return names.length > 0 ? names : undefined;
    },
    { what: 'the model' },
  );
  expect(made).toBe(speechModelName(user, 'en-US', ids));
  user = `${user}-neighbour`;
  expect(await modelsOf()).toEqual([]);
});
