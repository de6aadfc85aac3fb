import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { NotAnswered } from './direct-call.ts';
import type { Dynamo, Patience } from './dynamo.ts';

type Item = Record<string, unknown>;

/** What `UpdateItem` takes here, in plain values. */
export type Update = UpdateCommandInput & { readonly Key: Item; readonly ExpressionAttributeValues: Item };

/** Updates one item. Answers the attributes that were asked for. Throws what `Dynamo.run` throws. */
export function updateItem(dynamo: Dynamo, patience: Patience, update: Update): Promise<Item | undefined> {
  let direct = true;
  return dynamo.run('UpdateItem', patience, async (client, options) => {
    if (direct) {
      try {
        const input = {
          ...update,
          Key: marshall(update.Key),
          ExpressionAttributeValues: marshall(update.ExpressionAttributeValues, { removeUndefinedValues: true }),
        };
        // Safe: what UpdateItem answers.
        const { Attributes } = (await dynamo.direct('UpdateItem', JSON.stringify(input), options)) as {
          Attributes?: ReturnType<typeof marshall>;
        };
        return Attributes && unmarshall(Attributes);
      } catch (error) {
        if (!(error instanceof NotAnswered)) throw error;
        direct = false;
      }
    }
    return (await client.send(new UpdateCommand(update), options)).Attributes;
  });
}
