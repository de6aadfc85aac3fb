import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the packages of the distributions put the US English model. */
const FOLDERS = [
  '/usr/share/pocketsphinx/model/en-us',
  '/usr/local/share/pocketsphinx/model/en-us',
  '/opt/homebrew/share/pocketsphinx/model/en-us',
];

export interface InstalledModel {
  readonly acousticModel: string;
  readonly dictionaryPath: string;
}

export async function findInstalledModel(folders: readonly string[] = FOLDERS): Promise<InstalledModel | undefined> {
  for (const folder of folders) {
    const dictionaryPath = join(folder, 'cmudict-en-us.dict');
    const found = await stat(dictionaryPath).then(
      () => true,
      () => false,
    );
    if (found) return { acousticModel: join(folder, 'en-us'), dictionaryPath };
  }
  return undefined;
}

/** Reads a pronunciation dictionary: word -> its pronunciations, `and(2)` under "and". */
export async function readDictionary(path: string): Promise<Map<string, string[]>> {
  const dictionary = new Map<string, string[]>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const word = line.slice(0, space).replace(/\(\d+\)$/, '');
    const sounds = line.slice(space + 1).trim();
    const known = dictionary.get(word);
    if (known === undefined) dictionary.set(word, [sounds]);
    else known.push(sounds);
  }
  return dictionary;
}
