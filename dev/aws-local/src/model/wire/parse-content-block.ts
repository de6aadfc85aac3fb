import type {
  CitationsContent,
  ContentBlock,
  JsonObject,
  JsonValue,
  Role,
  SearchResult,
  ToolResult,
} from './converse-shapes.ts';
import { asArray, asObject, asString, asText, invalid } from './read-json.ts';

/** Members of Bedrock's ContentBlock union that carry nothing this process could use; they are refused by name, not ignored. */
const UNSUPPORTED = new Set([
  'image',
  'document',
  'video',
  'audio',
  'guardContent',
  'reasoningContent',
  'toolAddition',
  'toolRemoval',
]);

const TOOL_USE_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** Reads one block of a message; undefined for a cache point, which says nothing. */
export function parseContentBlock(value: JsonValue, role: Role, path: string): ContentBlock | undefined {
  const block = asObject(value, path);
  const members = Object.keys(block);
  const member = members[0];
  if (member === undefined || members.length > 1) {
    throw invalid(`The content block at ${path} must have exactly one member set, and has ${members.length}.`);
  }
  if (UNSUPPORTED.has(member))
    throw invalid(`This model doesn't support the ${member} field at ${path}. Remove ${member} and try again.`);
  const inner = `${path}.${member}`;
  switch (member) {
    case 'text':
      return { text: asText(block['text'], inner) };
    case 'searchResult':
      requireRole(role, 'user', member, path);
      return { searchResult: parseSearchResult(block['searchResult'], inner) };
    case 'toolUse':
      requireRole(role, 'assistant', member, path);
      return { toolUse: parseToolUse(asObject(block['toolUse'], inner), inner) };
    case 'toolResult':
      requireRole(role, 'user', member, path);
      return { toolResult: parseToolResult(asObject(block['toolResult'], inner), inner) };
    case 'citationsContent':
      requireRole(role, 'assistant', member, path);
      return { citationsContent: parseCitationsContent(asObject(block['citationsContent'], inner), inner) };
    case 'cachePoint':
      return undefined;
    default:
      throw invalid(`The content block at ${path} has an unknown member: ${member}.`);
  }
}

function requireRole(role: Role, wanted: Role, member: string, path: string): void {
  if (role !== wanted) throw invalid(`${member} blocks can only be in messages of the ${wanted} role (${path}).`);
}

function parseSearchResult(value: JsonValue | undefined, path: string): SearchResult {
  const result = asObject(value, path);
  const content = asArray(result['content'], `${path}.content`).map((item, index) => ({
    text: asText(asObject(item, `${path}.content.${index}`)['text'], `${path}.content.${index}.text`),
  }));
  if (content.length === 0) throw invalid(`${path}.content must have at least one text block`);
  const citations = result['citations'];
  return {
    source: asString(result['source'], `${path}.source`),
    title: asString(result['title'], `${path}.title`),
    content,
    ...(citations === undefined || citations === null
      ? {}
      : { citations: { enabled: asObject(citations, `${path}.citations`)['enabled'] === true } }),
  };
}

function parseToolUseId(value: JsonValue | undefined, path: string): string {
  const id = asString(value, path);
  if (!TOOL_USE_ID.test(id)) throw invalid(`${path} must match [a-zA-Z0-9_-]{1,64}`);
  return id;
}

function parseToolUse(block: JsonObject, path: string): { toolUseId: string; name: string; input: JsonValue } {
  return {
    toolUseId: parseToolUseId(block['toolUseId'], `${path}.toolUseId`),
    name: asString(block['name'], `${path}.name`),
    input: asObject(block['input'], `${path}.input`),
  };
}

function parseToolResult(block: JsonObject, path: string): ToolResult {
  const content = asArray(block['content'], `${path}.content`).map((item, index): ToolResult['content'][number] => {
    const at = `${path}.content.${index}`;
    const entry = asObject(item, at);
    if (entry['text'] !== undefined) return { text: asString(entry['text'], `${at}.text`) };
    if (entry['json'] !== undefined) return { json: entry['json'] };
    if (entry['searchResult'] !== undefined)
      return { searchResult: parseSearchResult(entry['searchResult'], `${at}.searchResult`) };
    throw invalid(`${at} must be text, json or searchResult`);
  });
  const status = block['status'];
  if (status !== undefined && status !== 'success' && status !== 'error')
    throw invalid(`${path}.status must be success or error`);
  return {
    toolUseId: parseToolUseId(block['toolUseId'], `${path}.toolUseId`),
    content,
    ...(status === undefined ? {} : { status }),
  };
}

/** An earlier answer, sent back as history: its words count, its citations do not. */
function parseCitationsContent(block: JsonObject, path: string): CitationsContent {
  const content = asArray(block['content'] ?? [], `${path}.content`).map((item, index) => ({
    text: asString(asObject(item, `${path}.content.${index}`)['text'], `${path}.content.${index}.text`),
  }));
  return { content, citations: [] };
}
