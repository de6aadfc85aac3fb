import { randomUUID } from 'node:crypto';
import { readTask } from '../extractive/read-request.ts';
import type { ConverseRequest, JsonObject, ToolUse } from '../wire/converse-shapes.ts';
import { fieldWords } from './field-words.ts';
import { readFilterSchema, type FilterSchema } from './read-filter-schema.ts';
import { readNumbers } from './read-numbers.ts';
import { readSort } from './read-sort.ts';
import { readValues } from './read-values.ts';
import type { Reading } from './reading.ts';

const ASKS_FOR_ALL = /\b(?:all|everything|every|list|show|any)\b/i;

/**
 * Answers a request with a call of its filter tool, if it has one: the filters and sort order that the last user text asks for.
 * Undefined when no tool takes filters, when a tool has answered already, or when nothing in the text was understood.
 */
export function callCatalogueTool(request: ConverseRequest): ToolUse | undefined {
  const last = request.messages.at(-1);
  if (last === undefined || last.content.some((block) => 'toolResult' in block)) return undefined;
  const task = readTask(request);
  const isForced = request.toolChoice.kind !== 'auto';
  if (task.passages.length > 0 && !isForced) return undefined;
  for (const tool of request.tools) {
    if (request.toolChoice.kind === 'tool' && request.toolChoice.name !== tool.name) continue;
    const schema = readFilterSchema(tool);
    if (schema === undefined) continue;
    const reading = readQuery(task.question, schema);
    const understood = reading.filters.length > 0 || reading.sort.length > 0 || reading.limit !== undefined;
    if (!understood && !isForced && !ASKS_FOR_ALL.test(task.question)) continue;
    return {
      toolUseId: `tooluse_${randomUUID().replaceAll('-', '').slice(0, 22)}`,
      name: tool.name,
      input: toInput(reading, schema),
    };
  }
  return undefined;
}

/** Reads order and limit first, then numbers, then words: what one step understands the next no longer sees. */
export function readQuery(text: string, schema: FilterSchema): Reading {
  const reading: Reading = { rest: text, filters: [], sort: [], limit: undefined };
  const words = fieldWords(schema.fields);
  readSort(reading, schema, words);
  readNumbers(reading, schema, words);
  readValues(reading, schema, words);
  return reading;
}

function toInput(reading: Reading, schema: FilterSchema): JsonObject {
  return {
    filters: reading.filters.map(({ field, op, value }) => ({ field, op, value })),
    ...(reading.sort.length > 0 || schema.required.has('sort')
      ? { sort: reading.sort.map(({ field, order }) => ({ field, order })) }
      : {}),
    ...(reading.limit === undefined ? {} : { limit: reading.limit }),
  };
}
