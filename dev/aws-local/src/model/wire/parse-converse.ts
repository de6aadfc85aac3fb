import type {
  ContentBlock,
  ConverseRequest,
  GuardrailConfig,
  JsonObject,
  JsonValue,
  Message,
} from './converse-shapes.ts';
import { parseContentBlock } from './parse-content-block.ts';
import type { ModelId } from './parse-model-id.ts';
import { parseToolConfig } from './parse-tool-config.ts';
import { asArray, asObject, asString, asText, invalid, optionalNumber } from './read-json.ts';

/**
 * Reads the body of Converse or ConverseStream and refuses what Bedrock refuses.
 * @throws AwsError ValidationException
 */
export function parseConverse(model: ModelId, body: JsonObject): ConverseRequest {
  const messages = parseMessages(body['messages']);
  if (
    !model.supportsSearchResults &&
    messages.some((message) => message.content.some((block) => 'searchResult' in block))
  ) {
    throw invalid("This model doesn't support the searchResult field. Remove searchResult and try again.");
  }
  const { tools, toolChoice } = parseToolConfig(body['toolConfig']);
  if (
    tools.length === 0 &&
    messages.some((message) => message.content.some((block) => 'toolUse' in block || 'toolResult' in block))
  ) {
    throw invalid('The toolConfig field must be defined when using toolUse and toolResult content blocks.');
  }
  const guardrail = parseGuardrail(body['guardrailConfig']);
  return {
    modelId: model.id,
    system: parseSystem(body['system']),
    messages,
    inference: parseInference(body['inferenceConfig']),
    tools,
    toolChoice,
    ...(guardrail === undefined ? {} : { guardrail }),
  };
}

function parseMessages(value: JsonValue | undefined): Message[] {
  const entries = asArray(value ?? [], 'messages');
  if (entries.length === 0)
    throw invalid(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    );
  const messages = entries.map((entry, index): Message => {
    const path = `messages.${index}`;
    const message = asObject(entry, path);
    const role = message['role'];
    if (role !== 'user' && role !== 'assistant') {
      throw invalid(
        `1 validation error detected: Value '${String(role)}' at '${path}.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`,
      );
    }
    const content = asArray(message['content'], `${path}.content`).flatMap((block, at): ContentBlock[] => {
      const parsed = parseContentBlock(block, role, `${path}.content.${at}`);
      return parsed === undefined ? [] : [parsed];
    });
    if (content.length === 0)
      throw invalid(
        `The content field in the Message object at ${path} is empty. Add a ContentBlock object to the content field and try again.`,
      );
    return { role, content };
  });
  if (messages[0]?.role !== 'user') {
    throw invalid(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    );
  }
  for (const [index, message] of messages.entries()) {
    if (message.role === messages[index + 1]?.role) {
      throw invalid(
        'A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.',
      );
    }
  }
  if (messages.at(-1)?.role !== 'user') {
    throw invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
  return messages;
}

function parseSystem(value: JsonValue | undefined): string {
  return asArray(value ?? [], 'system')
    .flatMap((entry, index) => {
      const block = asObject(entry, `system.${index}`);
      if (block['cachePoint'] !== undefined) return [];
      return [asText(block['text'], `system.${index}.text`)];
    })
    .join('\n\n');
}

function parseInference(value: JsonValue | undefined): ConverseRequest['inference'] {
  const config = value === undefined || value === null ? {} : asObject(value, 'inferenceConfig');
  const maxTokens = optionalNumber(config['maxTokens'], 'inferenceConfig.maxTokens', { min: 1, integer: true });
  const temperature = optionalNumber(config['temperature'], 'inferenceConfig.temperature', { min: 0, max: 1 });
  const topP = optionalNumber(config['topP'], 'inferenceConfig.topP', { min: 0, max: 1 });
  const stopSequences = asArray(config['stopSequences'] ?? [], 'inferenceConfig.stopSequences').map((entry, index) => {
    const sequence = asString(entry, `inferenceConfig.stopSequences.${index}`);
    if (sequence === '')
      throw invalid(`inferenceConfig.stopSequences.${index} must have length greater than or equal to 1`);
    return sequence;
  });
  if (stopSequences.length > 2500)
    throw invalid('inferenceConfig.stopSequences must have length less than or equal to 2500');
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    stopSequences,
  };
}

function parseGuardrail(value: JsonValue | undefined): GuardrailConfig | undefined {
  if (value === undefined || value === null) return undefined;
  const config = asObject(value, 'guardrailConfig');
  const guardrailIdentifier = asString(config['guardrailIdentifier'], 'guardrailConfig.guardrailIdentifier');
  const guardrailVersion = asString(config['guardrailVersion'], 'guardrailConfig.guardrailVersion');
  if (
    !/^(?:[a-z0-9]+|arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail\/[a-z0-9]+)$/.test(guardrailIdentifier)
  ) {
    throw invalid('The guardrail identifier provided in the request is invalid.');
  }
  if (!/^(?:[1-9]\d{0,7}|DRAFT)$/.test(guardrailVersion))
    throw invalid('The guardrail version provided in the request is invalid.');
  const trace = config['trace'] ?? 'disabled';
  if (trace !== 'enabled' && trace !== 'disabled' && trace !== 'enabled_full') {
    throw invalid('guardrailConfig.trace must be enabled, disabled or enabled_full');
  }
  return { guardrailIdentifier, guardrailVersion, trace };
}
