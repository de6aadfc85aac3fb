import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseCommandInput,
  type ConverseCommandOutput,
  type ToolInputSchema,
} from '@aws-sdk/client-bedrock-runtime';
import { ManuelError } from '@manuel/contracts';
import { classifyFailure, failureOf, type Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { type AnswerEnd, type AnswerPiece, citationStyle } from './bedrock/answer-pieces.ts';
import { type AnswerRequest, answerRequest, baseRequest, turnsAsMessages } from './bedrock/converse-request.ts';
import { readAnswerStream } from './bedrock/read-answer-stream.ts';
import { clientOptions } from './client-options.ts';

export interface CallLimits {
  readonly signal?: AbortSignal;
  /** Milliseconds for all tries together. */
  readonly deadlineMs?: number;
  readonly maxRetries?: number;
}

export interface BedrockRuntime {
  /** Model id as clients may see it: never the ARN of a profile. */
  readonly model: string;
  /**
   * Streams an answer from passages; `onPiece` is called as the pieces arrive. A failure before the first piece is retried;
   * after it the call fails for good, for what was said cannot be taken back.
   */
  streamAnswer(request: AnswerRequest, onPiece: (piece: AnswerPiece) => void, limits?: CallLimits): Promise<AnswerEnd>;
  /** One short text, such as a rewritten question. */
  complete(
    request: Pick<AnswerRequest, 'system' | 'turns' | 'question'> & { readonly maxTokens: number },
    limits?: CallLimits,
  ): Promise<{ readonly text: string } & Pick<AnswerEnd, 'tokens'>>;
  /**
   * Makes the model call one tool and gives its arguments, not validated. Throws `upstream_failed` when the model would not
   * call it.
   */
  callTool(
    request: {
      readonly system: string;
      readonly text: string;
      readonly tool: { readonly name: string; readonly description: string; readonly schema: Record<string, unknown> };
      readonly maxTokens?: number;
    },
    limits?: CallLimits,
  ): Promise<{ readonly input: unknown } & Pick<AnswerEnd, 'tokens'>>;
  /** The cheapest answer the model can give: whether ConverseStream works. */
  ping(signal: AbortSignal): Promise<void>;
  close(): void;
}

const upstream = 'bedrock';
const tokensOf = (output: ConverseCommandOutput): AnswerEnd['tokens'] => ({
  input: output.usage?.inputTokens ?? 0,
  output: output.usage?.outputTokens ?? 0,
});

/** Bedrock's models behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createBedrockRuntime(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool' | 'models'>;
  readonly resilience: Resilience;
}): BedrockRuntime {
  const { settings, resilience } = deps;
  const { models } = settings;
  const client = new BedrockRuntimeClient(clientOptions(settings));
  const style = citationStyle(models);

  const converse = (input: ConverseCommandInput, limits: CallLimits): Promise<ConverseCommandOutput> =>
    resilience.call({ upstream, operation: 'Converse', ...limits }, (abortSignal) =>
      client.send(new ConverseCommand(input), { abortSignal }),
    );

  return {
    model: models.text_model_id,

    streamAnswer(request, onPiece, limits = {}) {
      return resilience.call({ upstream, operation: 'ConverseStream', ...limits }, async (abortSignal) => {
        let said = false;
        const mute = new AbortController();
        const timer = setTimeout(() => mute.abort(), models.first_token_timeout_ms);
        try {
          const output = await client.send(new ConverseStreamCommand(answerRequest(models, request, style)), {
            abortSignal: AbortSignal.any([abortSignal, mute.signal]),
          });
          if (!output.stream) throw failureOf('stream');
          return await readAnswerStream(output.stream, request.passages, style, (piece) => {
            // Nothing is said any more to somebody who left, whatever is still on its way.
            if (abortSignal.aborted) return;
            said = true;
            clearTimeout(timer);
            onPiece(piece);
          });
        } catch (error) {
          // An abort of our own is the upstream's silence, not somebody's cancel.
          if (mute.signal.aborted && !abortSignal.aborted) throw failureOf('timeout');
          if (!said) throw error;
          const { error: known } = classifyFailure(error);
          throw new ManuelError(known.code, known.detail, { cause: error, retryable: false });
        } finally {
          clearTimeout(timer);
        }
      });
    },

    async complete({ maxTokens, ...request }, limits = {}) {
      const output = await converse(
        {
          ...baseRequest(models),
          inferenceConfig: { maxTokens, temperature: 0 },
          system: [{ text: request.system }],
          messages: [...turnsAsMessages(request.turns), { role: 'user', content: [{ text: request.question }] }],
        },
        limits,
      );
      const text = (output.output?.message?.content ?? []).map((block) => block.text ?? '').join('');
      return { text, tokens: tokensOf(output) };
    },

    async callTool({ system, text, tool, maxTokens }, limits = {}) {
      const { name, description, schema } = tool;
      // Safe: a JSON schema is JSON, which is what the SDK's document type means.
      const inputSchema = { json: schema } as ToolInputSchema;
      const output = await converse(
        {
          ...baseRequest(models),
          inferenceConfig: { maxTokens: maxTokens ?? models.max_output_tokens, temperature: 0 },
          system: [{ text: system }],
          messages: [{ role: 'user', content: [{ text }] }],
          toolConfig: { tools: [{ toolSpec: { name, description, inputSchema } }], toolChoice: { tool: { name } } },
        },
        limits,
      );
      const use = output.output?.message?.content?.find((block) => block.toolUse?.name === name)?.toolUse;
      if (!use) throw new ManuelError('upstream_failed', failureOf('model').detail, { retryable: false });
      return { input: use.input, tokens: tokensOf(output) };
    },

    async ping(abortSignal) {
      const request = { system: 'Answer with the word ok.', turns: [], question: 'ok', passages: [] };
      const input = { ...answerRequest(models, request, 'markers'), inferenceConfig: { maxTokens: 1, temperature: 0 } };
      const output = await client.send(new ConverseStreamCommand(input), { abortSignal });
      if (!output.stream) throw failureOf('stream');
      await readAnswerStream(output.stream, [], 'markers', () => undefined);
    },

    close: () => client.destroy(),
  };
}
