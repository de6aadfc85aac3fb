import { AwsError } from '../service.ts';
import { LANGUAGE_CODES } from './languages.ts';
import { paginate } from './list-jobs.ts';
import { parseS3Uri } from './media.ts';
import { badRequest, optionalText, optionalTexts, requiredText, resourceName, type Fields } from './read-fields.ts';
import type { RecordStore } from './record-store.ts';

/** A custom vocabulary: phrases that recordings probably hold. Times in seconds since 1970. */
export interface VocabularyRecord {
  readonly name: string;
  readonly languageCode: string;
  readonly state: 'READY' | 'FAILED';
  readonly failureReason?: string;
  readonly lastModified: number;
  readonly phrases: readonly string[];
}

const MAX_PHRASE_CHARACTERS = 256;
const MAX_BYTES = 50 * 1024;
const NOT_FOUND = "The requested vocabulary couldn't be found. Check the vocabulary name and try your request again.";

/** CreateVocabulary, UpdateVocabulary, GetVocabulary, ListVocabularies and DeleteVocabulary. */
export class Vocabularies {
  readonly #records: RecordStore<VocabularyRecord>;
  readonly #readObject: (bucket: string, key: string) => Promise<Buffer | undefined>;
  readonly #onReplaced: (name: string) => Promise<void>;

  constructor(
    records: RecordStore<VocabularyRecord>,
    readObject: (bucket: string, key: string) => Promise<Buffer | undefined>,
    /** Called when a vocabulary's phrases are gone, deleted or replaced. */
    onReplaced: (name: string) => Promise<void>,
  ) {
    this.#onReplaced = onReplaced;
    this.#records = records;
    this.#readObject = readObject;
  }

  async create(body: Fields): Promise<object> {
    const name = resourceName(body, 'VocabularyName');
    if (this.#records.get(name) !== undefined) {
      throw new AwsError(
        'ConflictException',
        'The requested vocabulary name already exists. Use a different vocabulary name.',
        409,
      );
    }
    return this.#write(name, body);
  }

  async update(body: Fields): Promise<object> {
    const name = resourceName(body, 'VocabularyName');
    this.find(name);
    return this.#write(name, body);
  }

  get(body: Fields): object {
    return summarise(this.find(resourceName(body, 'VocabularyName')));
  }

  list(body: Fields): object {
    const state = optionalText(body, 'StateEquals', { oneOf: ['PENDING', 'READY', 'FAILED'] });
    const contains = optionalText(body, 'NameContains', { max: 200 })?.toLowerCase() ?? '';
    const matching = this.#records
      .entries()
      .map(([, record]) => record)
      .filter(
        (record) => (state === undefined || record.state === state) && record.name.toLowerCase().includes(contains),
      )
      .toSorted((a, b) => b.lastModified - a.lastModified);
    const { page, next } = paginate(matching, body, 5);
    return { ...(state === undefined ? {} : { Status: state }), ...next, Vocabularies: page.map(summarise) };
  }

  async delete(body: Fields): Promise<object> {
    const { name } = this.find(resourceName(body, 'VocabularyName'));
    await this.#records.delete(name);
    await this.#onReplaced(name);
    return {};
  }

  /** @throws AwsError NotFoundException */
  find(name: string): VocabularyRecord {
    const record = this.#records.get(name);
    if (record === undefined) throw new AwsError('NotFoundException', NOT_FOUND, 400);
    return record;
  }

  async #write(name: string, body: Fields): Promise<object> {
    const languageCode = requiredText(body, 'LanguageCode', { oneOf: LANGUAGE_CODES });
    const phrases = optionalTexts(body, 'Phrases');
    const uri = optionalText(body, 'VocabularyFileUri', { max: 2000 });
    if ((phrases === undefined) === (uri === undefined))
      throw badRequest('You must provide either Phrases or VocabularyFileUri, and not both.');
    const given = phrases ?? (await this.#readFile(uri ?? ''));
    const fault = findFault(given);
    const record: VocabularyRecord = {
      name,
      languageCode,
      state: fault === undefined ? 'READY' : 'FAILED',
      ...(fault === undefined ? {} : { failureReason: fault }),
      lastModified: Date.now() / 1000,
      phrases: fault === undefined ? given : [],
    };
    await this.#records.put(name, record);
    await this.#onReplaced(name);
    // As from the real service, which needs minutes; here it is ready when next asked for.
    return { ...summarise(record), VocabularyState: 'PENDING', FailureReason: undefined };
  }

  /** Both formats: a table with a header line and tabs, or a list with commas or a line each. */
  async #readFile(uri: string): Promise<string[]> {
    const { bucket, key } = parseS3Uri(uri, 'VocabularyFileUri');
    const file = await this.#readObject(bucket, key);
    if (file === undefined)
      throw badRequest(
        "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request again.",
      );
    const lines = file
      .toString('utf8')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '');
    if (lines[0]?.startsWith('Phrase\t') === true)
      return lines.slice(1).map((line) => line.split('\t')[0]?.trim() ?? '');
    return lines
      .flatMap((line) => line.split(','))
      .map((phrase) => phrase.trim())
      .filter((phrase) => phrase !== '');
  }
}

function findFault(phrases: readonly string[]): string | undefined {
  if (phrases.length === 0) return 'The vocabulary has no phrases. Add at least one and try your request again.';
  const long = phrases.find((phrase) => phrase.length === 0 || phrase.length > MAX_PHRASE_CHARACTERS);
  if (long !== undefined)
    return `A phrase is empty or longer than ${MAX_PHRASE_CHARACTERS} characters: ${long.slice(0, 40)}`;
  const digits = phrases.find((phrase) => /[\d\s]/.test(phrase));
  if (digits !== undefined)
    return `A phrase holds digits or spaces; spell numbers out and put hyphens between words: ${digits.slice(0, 40)}`;
  if (phrases.join('\n').length > MAX_BYTES) return 'The vocabulary is larger than 50 KB.';
  return undefined;
}

function summarise(record: VocabularyRecord): object {
  return {
    VocabularyName: record.name,
    LanguageCode: record.languageCode,
    VocabularyState: record.state,
    LastModifiedTime: record.lastModified,
    FailureReason: record.failureReason,
  };
}
