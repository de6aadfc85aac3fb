import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsError } from '../service.ts';
import { MODEL_LANGUAGE_CODES } from './languages.ts';
import { paginate } from './list-jobs.ts';
import { asFields, badRequest, optionalText, requiredText, resourceName, type Fields } from './read-fields.ts';
import type { RecordStore } from './record-store.ts';

/** A custom language model: the texts it was made from lie beside it, under their hash. Times in seconds since 1970. */
export interface LanguageModelRecord {
  readonly name: string;
  readonly languageCode: string;
  readonly baseModelName: string;
  readonly inputDataConfig: Fields;
  readonly status: 'COMPLETED' | 'FAILED';
  readonly failureReason?: string;
  readonly createTime: number;
  readonly textHash: string;
}

export interface LanguageModelContext {
  readonly folder: string;
  readonly records: RecordStore<LanguageModelRecord>;
  readObject(bucket: string, key: string): Promise<Buffer | undefined>;
  listObjects(bucket: string, prefix: string): Promise<string[]>;
  /** Called when no model is left that was made from this text. */
  onTextDeleted(hash: string): Promise<void>;
}

const S3_PREFIX = /^s3:\/\/(?<bucket>[a-z0-9.-]{3,63})\/?(?<prefix>.*)$/;
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** CreateLanguageModel, DescribeLanguageModel, ListLanguageModels and DeleteLanguageModel. */
export class LanguageModels {
  readonly #context: LanguageModelContext;

  constructor(context: LanguageModelContext) {
    this.#context = context;
  }

  async create(body: Fields): Promise<object> {
    const name = resourceName(body, 'ModelName');
    const languageCode = requiredText(body, 'LanguageCode', { oneOf: MODEL_LANGUAGE_CODES });
    const baseModelName = requiredText(body, 'BaseModelName', { oneOf: ['NarrowBand', 'WideBand'] });
    const input = asFields(body['InputDataConfig'], 'InputDataConfig');
    const uri = S3_PREFIX.exec(requiredText(input, 'S3Uri', { max: 2000 }))?.groups;
    requiredText(input, 'DataAccessRoleArn', { pattern: /^arn:aws(?:-[a-z]+)*:iam::\d{12}:role\/.+$/ });
    if (uri === undefined) throw badRequest('InputDataConfig.S3Uri must be of the form s3://bucket/prefix/');
    if (this.#context.records.get(name) !== undefined) {
      throw new AwsError(
        'ConflictException',
        'The requested model name already exists. Use a different model name.',
        409,
      );
    }
    const text = await this.#readTexts(uri['bucket'] ?? '', uri['prefix'] ?? '');
    const textHash = createHash('sha256').update(text).digest('hex');
    await mkdir(this.#context.folder, { recursive: true });
    await writeFile(this.#textPath(textHash), text);
    const record: LanguageModelRecord = {
      name,
      languageCode,
      baseModelName,
      inputDataConfig: input,
      status: text === '' ? 'FAILED' : 'COMPLETED',
      ...(text === ''
        ? {
            failureReason:
              'There is no plain text under the S3 URI that you provided. Put .txt files there and try your request again.',
          }
        : {}),
      createTime: Date.now() / 1000,
      textHash,
    };
    await this.#context.records.put(name, record);
    // As from the real service, which needs hours; here it is ready when next asked for.
    return {
      LanguageCode: languageCode,
      BaseModelName: baseModelName,
      ModelName: name,
      InputDataConfig: input,
      ModelStatus: 'IN_PROGRESS',
    };
  }

  describe(body: Fields): object {
    return { LanguageModel: show(this.find(resourceName(body, 'ModelName'))) };
  }

  list(body: Fields): object {
    const status = optionalText(body, 'StatusEquals', { oneOf: ['IN_PROGRESS', 'FAILED', 'COMPLETED'] });
    const contains = optionalText(body, 'NameContains', { max: 200 })?.toLowerCase() ?? '';
    const matching = this.#context.records
      .entries()
      .map(([, record]) => record)
      .filter(
        (record) => (status === undefined || record.status === status) && record.name.toLowerCase().includes(contains),
      )
      .toSorted((a, b) => b.createTime - a.createTime);
    const { page, next } = paginate(matching, body, 5);
    return { ...next, Models: page.map(show) };
  }

  async delete(body: Fields): Promise<object> {
    const record = this.#context.records.get(resourceName(body, 'ModelName'));
    if (record === undefined) return {};
    await this.#context.records.delete(record.name);
    const isShared = this.#context.records.entries().some(([, other]) => other.textHash === record.textHash);
    if (isShared) return {};
    await rm(this.#textPath(record.textHash), { force: true });
    await this.#context.onTextDeleted(record.textHash);
    return {};
  }

  /** @throws AwsError NotFoundException */
  find(name: string): LanguageModelRecord {
    const record = this.#context.records.get(name);
    if (record === undefined)
      throw new AwsError(
        'NotFoundException',
        "The requested model couldn't be found. Check the model name and try your request again.",
        400,
      );
    return record;
  }

  readText(record: LanguageModelRecord): Promise<string> {
    return readFile(this.#textPath(record.textHash), 'utf8');
  }

  /** All .txt files under the prefix, as they are now: a model does not follow later changes. */
  async #readTexts(bucket: string, prefix: string): Promise<string> {
    const texts: string[] = [];
    let bytes = 0;
    for (const key of await this.#context.listObjects(bucket, prefix)) {
      if (!/\.txt$/i.test(key)) continue;
      const file = await this.#context.readObject(bucket, key);
      bytes += file?.length ?? 0;
      if (bytes > MAX_TEXT_BYTES) break;
      if (file !== undefined) texts.push(file.toString('utf8'));
    }
    return texts.join('\n').trim();
  }

  #textPath(hash: string): string {
    return join(this.#context.folder, `${hash}.txt`);
  }
}

function show(record: LanguageModelRecord): object {
  return {
    ModelName: record.name,
    CreateTime: record.createTime,
    LastModifiedTime: record.createTime,
    LanguageCode: record.languageCode,
    BaseModelName: record.baseModelName,
    ModelStatus: record.status,
    UpgradeAvailability: false,
    FailureReason: record.failureReason,
    InputDataConfig: record.inputDataConfig,
  };
}
