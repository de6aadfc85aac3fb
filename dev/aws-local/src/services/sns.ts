import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Topics } from '../sns/topics.ts';
import { AwsError } from '../service.ts';
import type { AwsService, AwsServiceOptions } from '../service.ts';
import { element } from '../xml.ts';

const maxMessageBytes = 256 * 1024;
const maxBatch = 10;
const protocols = ['http', 'https', 'email', 'email-json', 'sms', 'sqs', 'application', 'lambda', 'firehose'];

type Handler = (topics: Topics, parameters: URLSearchParams) => string | Promise<string>;

const operations: Readonly<Record<string, Handler>> = {
  CreateTopic: async (topics, parameters) => element('TopicArn', await topics.create(required(parameters, 'Name'))),
  ListTopics: (topics) =>
    `<Topics>${topics
      .list()
      .map((arn) => `<member>${element('TopicArn', arn)}</member>`)
      .join('')}</Topics>`,
  Publish: (topics, parameters) =>
    element('MessageId', publish(topics, required(parameters, 'TopicArn'), parameters, '')),
  PublishBatch: publishBatch,
  Subscribe: subscribe,
  ListSubscriptionsByTopic: listSubscriptions,
};

export interface Sns extends AwsService {
  readonly topics: Topics;
}

/** SNS: keeps what was sent for `GET /_messages`; nothing leaves this machine. */
export async function createSns(options: Pick<AwsServiceOptions, 'dataDir' | 'region' | 'accountId'>): Promise<Sns> {
  const topics = await Topics.open(join(options.dataDir, 'topics.json'), options.region, options.accountId);
  return {
    name: 'sns',
    errorProtocol: 'query-xml',
    topics,
    operationOf(request) {
      const action = request.form?.get('Action') ?? '';
      return Object.hasOwn(operations, action) ? action : undefined;
    },
    async handle(operation, request, response) {
      const handler = operations[operation];
      if (!handler) throw new Error(`no handler for ${operation}`);
      const result = await handler(topics, request.form ?? new URLSearchParams());
      const body =
        `<${operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${operation}Result>${result}</${operation}Result>` +
        `<ResponseMetadata>${element('RequestId', randomUUID())}</ResponseMetadata></${operation}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) }).end(body);
    },
    close: () => Promise.resolve(),
  };
}

/** Publishes the message whose parameters begin with `prefix`; answers its id. */
function publish(topics: Topics, topicArn: string, parameters: URLSearchParams, prefix: string): string {
  const message = parameters.get(`${prefix}Message`) ?? '';
  const subject = parameters.get(`${prefix}Subject`) ?? undefined;
  if (message === '') throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
  if (Buffer.byteLength(message) > maxMessageBytes)
    throw new AwsError('InvalidParameter', 'Invalid parameter: Message too long');
  if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) {
    throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
  }
  const attributes: Record<string, string> = {};
  for (let n = 1; ; n++) {
    const entry = `${prefix}MessageAttributes.entry.${n}`;
    const name = parameters.get(`${entry}.Name`);
    if (name === null) break;
    attributes[name] =
      parameters.get(`${entry}.Value.StringValue`) ?? parameters.get(`${entry}.Value.BinaryValue`) ?? '';
  }
  return topics.publish(topicArn, message, subject, attributes).message_id;
}

function publishBatch(topics: Topics, parameters: URLSearchParams): string {
  const topicArn = required(parameters, 'TopicArn');
  const prefixes: string[] = [];
  while (parameters.has(`PublishBatchRequestEntries.member.${prefixes.length + 1}.Id`)) {
    prefixes.push(`PublishBatchRequestEntries.member.${prefixes.length + 1}.`);
  }
  const ids = prefixes.map((prefix) => parameters.get(`${prefix}Id`) ?? '');
  if (ids.length === 0) throw new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  if (ids.length > maxBatch)
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      'The batch request contains more entries than permissible (10).',
    );
  if (new Set(ids).size < ids.length)
    throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
  const sent = prefixes.map((prefix, index) => {
    const messageId = publish(topics, topicArn, parameters, prefix);
    return `<member>${element('Id', ids[index])}${element('MessageId', messageId)}</member>`;
  });
  return `<Successful>${sent.join('')}</Successful><Failed/>`;
}

async function subscribe(topics: Topics, parameters: URLSearchParams): Promise<string> {
  const protocol = required(parameters, 'Protocol');
  if (!protocols.includes(protocol))
    throw new AwsError('InvalidParameter', `Invalid parameter: Does not support this protocol string: ${protocol}`);
  const endpoint = required(parameters, 'Endpoint');
  const subscription = await topics.subscribe(required(parameters, 'TopicArn'), protocol, endpoint);
  return element('SubscriptionArn', subscription.arn);
}

function listSubscriptions(topics: Topics, parameters: URLSearchParams): string {
  const members = topics
    .subscriptions(required(parameters, 'TopicArn'))
    .map(
      ({ arn, topic_arn, protocol, endpoint }) =>
        `<member>${element('SubscriptionArn', arn)}${element('TopicArn', topic_arn)}${element('Protocol', protocol)}${element('Endpoint', endpoint)}</member>`,
    );
  return `<Subscriptions>${members.join('')}</Subscriptions>`;
}

function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw new AwsError('InvalidParameter', `Invalid parameter: ${name}`);
  return value;
}
