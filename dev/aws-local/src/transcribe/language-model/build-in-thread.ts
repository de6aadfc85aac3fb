import { writeFile } from 'node:fs/promises';
import { workerData } from 'node:worker_threads';
import { buildBiasModel, type BiasText } from './build-bias-model.ts';
import { readDictionary } from './pocketsphinx-model.ts';

/** What the thread is told: from which text to make a model, and where to write its two files. */
export interface BuildOrder extends BiasText {
  readonly pronunciations: string;
  readonly arpaPath: string;
  readonly dictionaryPath: string;
}

// Only BiasModels starts this thread, with a BuildOrder.
const order = workerData as BuildOrder;
const model = buildBiasModel(order, await readDictionary(order.pronunciations));
await writeFile(order.arpaPath, model.arpa);
await writeFile(order.dictionaryPath, model.dictionary);
