import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { refusal, startTestAws } from '../testing/local-aws.ts';
import type { TestAws } from '../testing/local-aws.ts';

let aws: TestAws;
let sns: SNSClient;
let TopicArn: string;
beforeAll(async () => {
  aws = await startTestAws();
  sns = new SNSClient(aws.client);
  TopicArn = aws.config['topic_arn'] ?? '';
});
afterAll(async () => {
  sns.destroy();
  await aws.close();
});

test('what was sent is shown, newest last, until it is cleared', async () => {
  const Message = 'disk <full> & "hot" ü';
  const { MessageId } = await sns.send(
    new PublishCommand({
      TopicArn,
      Message,
      Subject: 'Alert',
      MessageAttributes: { severity: { DataType: 'String', StringValue: 'critical' } },
    }),
  );
  await sns.send(
    new PublishBatchCommand({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: 'a', Message: 'one' },
        { Id: 'b', Message: 'two' },
      ],
    }),
  );
  expect(await aws.control('GET', '/_messages')).toMatchObject([
    {
      message_id: MessageId,
      topic_arn: TopicArn,
      message: Message,
      subject: 'Alert',
      attributes: { severity: 'critical' },
    },
    { message: 'one', subject: null },
    { message: 'two' },
  ]);
  await aws.control('DELETE', '/_messages');
  expect(await aws.control('GET', '/_messages')).toEqual([]);
});

test('topics and subscriptions', async () => {
  const made = await sns.send(new CreateTopicCommand({ Name: 'other' }));
  expect(await sns.send(new CreateTopicCommand({ Name: 'other' }))).toMatchObject({ TopicArn: made.TopicArn });
  const { Topics } = await sns.send(new ListTopicsCommand({}));
  expect(Topics?.map((topic) => topic.TopicArn)).toEqual([TopicArn, made.TopicArn]);
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: 'ops@example.com' }),
  );
  const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  expect(Subscriptions).toMatchObject([{ SubscriptionArn, Protocol: 'email', Endpoint: 'ops@example.com', TopicArn }]);
});

test('refuses by the names of SNS', async () => {
  const publish = (change: object) => refusal(sns.send(new PublishCommand({ TopicArn, Message: 'x', ...change })));
  expect(await publish({ TopicArn: 'arn:aws:sns:eu-west-1:000000000000:none' })).toMatchObject({
    name: 'NotFoundException',
    status: 404,
  });
  expect(await publish({ TopicArn: 'none' })).toMatchObject({ name: 'InvalidParameterException', status: 400 });
  expect(await publish({ Message: 'x'.repeat(256 * 1024 + 1) })).toMatchObject({ name: 'InvalidParameterException' });
  expect(await publish({ Subject: 'two\nlines' })).toMatchObject({ name: 'InvalidParameterException' });
  expect(await refusal(sns.send(new CreateTopicCommand({ Name: 'no spaces' })))).toMatchObject({
    name: 'InvalidParameterException',
  });
  const twice = [
    { Id: 'a', Message: 'one' },
    { Id: 'a', Message: 'two' },
  ];
  const batch = new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: twice });
  expect(await refusal(sns.send(batch))).toMatchObject({ name: 'BatchEntryIdsNotDistinctException' });
});
