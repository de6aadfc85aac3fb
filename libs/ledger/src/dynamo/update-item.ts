import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Dynamo, Patience } from './dynamo.ts';

type Item = Record<string, unknown>;

/** What `UpdateItem` takes here, in plain values. */
export type Update = UpdateCommandInput & { readonly Key: Item; readonly ExpressionAttributeValues: Item };

/** Updates one item. Answers the attributes that were asked for. Throws what `Dynamo.run` throws. */
export function updateItem(dynamo: Dynamo, patience: Patience, update: Update): Promise<Item | undefined> {
  const input = {
    ...update,
    Key: marshall(update.Key),
    ExpressionAttributeValues: marshall(update.ExpressionAttributeValues, { removeUndefinedValues: true }),
  };
  return dynamo.runDirectly('UpdateItem', patience, {
    body: JSON.stringify(input),
    read(answer) {
      // Safe: what UpdateItem answers.
      const { Attributes } = answer as { Attributes?: ReturnType<typeof marshall> };
      return Attributes && unmarshall(Attributes);
    },
    command: async (client, options) => (await client.send(new UpdateCommand(update), options)).Attributes,
  });
}
