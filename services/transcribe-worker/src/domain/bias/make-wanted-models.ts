import type { Outside } from '../outside.ts';
import { chooseModel } from './choose-model.ts';

/** Makes the language models that live speakers lacked since the last look, so that they have them when they speak again. */
export async function makeWantedModels(outside: Outside, signal: AbortSignal): Promise<void> {
  for (;;) {
    const wanted = await outside.wantedModels.take();
    if (wanted === undefined || signal.aborted) return;
    const { userId, language } = wanted;
    // Where another worker makes it, there is nothing to wait for.
    await chooseModel(outside, { userId, signal, memory: {}, source: { language_code: language } });
  }
}
