/** The parts of Bedrock's Converse API that this process speaks, as they look in JSON on the wire. */

export type Role = 'user' | 'assistant';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export interface SearchResult {
  readonly source: string;
  readonly title: string;
  readonly content: readonly { readonly text: string }[];
  readonly citations?: { readonly enabled: boolean };
}

export interface ToolUse {
  readonly toolUseId: string;
  readonly name: string;
  readonly input: JsonValue;
}

export interface ToolResult {
  readonly toolUseId: string;
  readonly content: readonly (
    { readonly text: string } | { readonly json: JsonValue } | { readonly searchResult: SearchResult }
  )[];
  readonly status?: 'success' | 'error';
}

export type ContentBlock =
  | { readonly text: string }
  | { readonly searchResult: SearchResult }
  | { readonly toolUse: ToolUse }
  | { readonly toolResult: ToolResult }
  | { readonly citationsContent: CitationsContent };

export interface Message {
  readonly role: Role;
  readonly content: readonly ContentBlock[];
}

export interface ToolSpec {
  readonly name: string;
  readonly description?: string;
  readonly schema: JsonObject;
}

export type ToolChoice = { readonly kind: 'auto' | 'any' } | { readonly kind: 'tool'; readonly name: string };

export interface GuardrailConfig {
  readonly guardrailIdentifier: string;
  readonly guardrailVersion: string;
  readonly trace: 'enabled' | 'disabled' | 'enabled_full';
}

/** A validated request. */
export interface ConverseRequest {
  readonly modelId: string;
  /** The system prompt's text blocks, joined by blank lines. */
  readonly system: string;
  readonly messages: readonly Message[];
  readonly inference: {
    readonly maxTokens?: number;
    readonly temperature?: number;
    readonly topP?: number;
    readonly stopSequences: readonly string[];
  };
  readonly tools: readonly ToolSpec[];
  readonly toolChoice: ToolChoice;
  readonly guardrail?: GuardrailConfig;
}

/**
 * Where a citation points: `searchResultIndex` counts the search results of the whole request from 0; `start` and `end`
 * (exclusive) count the blocks of that result's `content`.
 */
export interface Citation {
  readonly title: string;
  readonly source: string;
  readonly sourceContent: readonly { readonly text: string }[];
  readonly location: {
    readonly searchResultLocation: { readonly searchResultIndex: number; readonly start: number; readonly end: number };
  };
}

export interface CitationsContent {
  readonly content: readonly { readonly text: string }[];
  readonly citations: readonly Citation[];
}

export type StopReason = 'end_turn' | 'tool_use' | 'max_tokens' | 'stop_sequence';

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

/** What a model says, piece by piece. A block is opened by its first piece and closed by `end`, or by another block's first piece. */
export type ModelPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'citation'; readonly citation: Citation }
  | { readonly kind: 'tool-start'; readonly toolUseId: string; readonly name: string }
  | { readonly kind: 'tool-input'; readonly json: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'usage'; readonly inputTokens: number; readonly outputTokens: number }
  | { readonly kind: 'stop'; readonly reason: StopReason };

/** Anything that can answer a conversation: the extractive model, or a server behind `LLM_URL`. */
export interface TextModel {
  generate(request: ConverseRequest, signal: AbortSignal): AsyncIterable<ModelPiece>;
}
