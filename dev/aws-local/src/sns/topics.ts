import { randomUUID } from 'node:crypto';
import { JsonFile } from '../json-file.ts';
import { AwsError } from '../service.ts';

const keptMessages = 1000;

export interface Subscription {
  readonly arn: string;
  readonly topic_arn: string;
  readonly protocol: string;
  readonly endpoint: string;
}

/** A message as `GET /_messages` shows it. */
export interface SentMessage {
  readonly message_id: string;
  readonly topic_arn: string;
  readonly subject: string | null;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** RFC 3339 */
  readonly sent_at: string;
}

interface State {
  readonly topics: string[];
  readonly subscriptions: Subscription[];
}

/** Topics and subscriptions, on disk, and the last messages, in memory. Nothing is delivered anywhere. */
export class Topics {
  readonly #file: JsonFile<State>;
  readonly #arnPrefix: string;
  readonly #state: State;
  #messages: SentMessage[] = [];

  private constructor(file: JsonFile<State>, arnPrefix: string, state: State) {
    this.#file = file;
    this.#arnPrefix = arnPrefix;
    this.#state = state;
  }

  static async open(path: string, region: string, accountId: string): Promise<Topics> {
    const file = new JsonFile<State>(path);
    const state = await file.read({ topics: [], subscriptions: [] });
    return new Topics(file, `arn:aws:sns:${region}:${accountId}:`, state);
  }

  /** Answers the topic's ARN; a topic of that name that exists is the same topic. */
  async create(name: string): Promise<string> {
    if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) throw new AwsError('InvalidParameter', 'Invalid parameter: Topic Name');
    const arn = `${this.#arnPrefix}${name}`;
    if (!this.#state.topics.includes(arn)) {
      this.#state.topics.push(arn);
      await this.#file.write(this.#state);
    }
    return arn;
  }

  list(): readonly string[] {
    return this.#state.topics;
  }

  subscriptions(topicArn: string): Subscription[] {
    this.#check(topicArn);
    return this.#state.subscriptions.filter((subscription) => subscription.topic_arn === topicArn);
  }

  async subscribe(topicArn: string, protocol: string, endpoint: string): Promise<Subscription> {
    this.#check(topicArn);
    const known = this.#state.subscriptions.find(
      (other) => other.topic_arn === topicArn && other.protocol === protocol && other.endpoint === endpoint,
    );
    if (known) return known;
    const subscription = { arn: `${topicArn}:${randomUUID()}`, topic_arn: topicArn, protocol, endpoint };
    this.#state.subscriptions.push(subscription);
    await this.#file.write(this.#state);
    return subscription;
  }

  publish(
    topicArn: string,
    message: string,
    subject: string | undefined,
    attributes: Record<string, string>,
  ): SentMessage {
    this.#check(topicArn);
    const sent = {
      message_id: randomUUID(),
      topic_arn: topicArn,
      subject: subject ?? null,
      message,
      attributes,
      sent_at: new Date().toISOString(),
    };
    this.#messages = [...this.#messages.slice(1 - keptMessages), sent];
    return sent;
  }

  /** The last thousand messages, newest last. */
  messages(): readonly SentMessage[] {
    return this.#messages;
  }

  clearMessages(): void {
    this.#messages = [];
  }

  #check(topicArn: string): void {
    if (!topicArn.startsWith('arn:aws:sns:')) throw new AwsError('InvalidParameter', 'Invalid parameter: TopicArn');
    if (!this.#state.topics.includes(topicArn)) throw new AwsError('NotFound', 'Topic does not exist', 404);
  }
}
