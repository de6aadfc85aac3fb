import { JsonFile } from '../json-file.ts';
import { AwsError } from '../service.ts';
import { keyNames } from './engine.ts';
import type { Engine, Item } from './engine.ts';

/** Remembers which attribute expires a table's items, and deletes those that have expired. */
export class TimeToLive {
  readonly #engine: Engine;
  readonly #file: JsonFile<Record<string, string>>;
  readonly #attributes: Map<string, string>;

  private constructor(engine: Engine, file: JsonFile<Record<string, string>>, attributes: Map<string, string>) {
    this.#engine = engine;
    this.#file = file;
    this.#attributes = attributes;
  }

  static async open(engine: Engine, path: string): Promise<TimeToLive> {
    const file = new JsonFile<Record<string, string>>(path);
    return new TimeToLive(engine, file, new Map(Object.entries(await file.read({}))));
  }

  /** UpdateTimeToLive */
  async update(input: Item): Promise<Item> {
    const table = await this.#tableOf(input);
    const specification = input['TimeToLiveSpecification'];
    if (typeof specification !== 'object' || specification === null)
      throw invalid('TimeToLiveSpecification must not be null');
    const enabled: unknown = Reflect.get(specification, 'Enabled');
    const attribute: unknown = Reflect.get(specification, 'AttributeName');
    if (typeof enabled !== 'boolean' || typeof attribute !== 'string' || attribute === '') {
      throw invalid('TimeToLiveSpecification needs Enabled and AttributeName');
    }
    const current = this.#attributes.get(table);
    if (enabled && current !== undefined) throw invalid('TimeToLive is already enabled');
    if (!enabled && current === undefined) throw invalid('TimeToLive is already disabled');
    if (enabled) this.#attributes.set(table, attribute);
    else this.#attributes.delete(table);
    await this.#save();
    return { TimeToLiveSpecification: { Enabled: enabled, AttributeName: attribute } };
  }

  /** DescribeTimeToLive */
  async describe(input: Item): Promise<Item> {
    const attribute = this.#attributes.get(await this.#tableOf(input));
    return {
      TimeToLiveDescription:
        attribute === undefined
          ? { TimeToLiveStatus: 'DISABLED' }
          : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
    };
  }

  /** A deleted table takes its setting with it. */
  async forget(table: string): Promise<void> {
    if (this.#attributes.delete(table)) await this.#save();
  }

  /** Deletes every item whose time is past; answers how many. `now` in epoch seconds. */
  async sweep(now: number): Promise<number> {
    let deleted = 0;
    for (const [table, attribute] of this.#attributes) deleted += await this.#sweepTable(table, attribute, now);
    return deleted;
  }

  async #sweepTable(table: string, attribute: string, now: number): Promise<number> {
    const names = await keyNames(this.#engine, table);
    const expired = {
      ExpressionAttributeNames: { '#ttl': attribute },
      ExpressionAttributeValues: { ':now': { N: String(now) }, ':number': { S: 'N' } },
    };
    const condition = 'attribute_type(#ttl, :number) AND #ttl < :now';
    let deleted = 0;
    let start: unknown;
    do {
      const page = await this.#engine.run('Scan', {
        TableName: table,
        FilterExpression: condition,
        ...expired,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const items = Array.isArray(page['Items']) ? page['Items'] : [];
      for (const item of items) {
        const Key = Object.fromEntries(names.map((name) => [name, Reflect.get(Object(item), name)]));
        if (await this.#deleteExpired({ TableName: table, Key, ConditionExpression: condition, ...expired })) deleted++;
      }
      start = page['LastEvaluatedKey'];
    } while (start !== undefined);
    return deleted;
  }

  /** False when the item was renewed since it was read. */
  async #deleteExpired(input: Item): Promise<boolean> {
    try {
      await this.#engine.run('DeleteItem', input);
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.code.endsWith('ConditionalCheckFailedException')) return false;
      throw error;
    }
  }

  async #tableOf(input: Item): Promise<string> {
    await this.#engine.run('DescribeTable', { TableName: input['TableName'] });
    return String(input['TableName']);
  }

  async #save(): Promise<void> {
    await this.#file.write(Object.fromEntries(this.#attributes));
  }
}

function invalid(message: string): AwsError {
  return new AwsError('com.amazon.coral.validate#ValidationException', message);
}
