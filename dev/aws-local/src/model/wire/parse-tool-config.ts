import type { JsonValue, ToolChoice, ToolSpec } from './converse-shapes.ts';
import { asArray, asObject, asString, invalid } from './read-json.ts';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Reads `toolConfig`: the tools on offer, and whether the model must use one. */
export function parseToolConfig(value: JsonValue | undefined): { tools: ToolSpec[]; toolChoice: ToolChoice } {
  if (value === undefined || value === null) return { tools: [], toolChoice: { kind: 'auto' } };
  const config = asObject(value, 'toolConfig');
  const entries = asArray(config['tools'], 'toolConfig.tools');
  if (entries.length === 0) {
    throw invalid(
      "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  }
  const tools = entries.flatMap((entry, index) => parseTool(entry, `toolConfig.tools.${index}`));
  const names = new Set(tools.map((tool) => tool.name));
  if (names.size !== tools.length) throw invalid('The tools in toolConfig.tools must have unique names.');
  return { tools, toolChoice: parseToolChoice(config['toolChoice'], names) };
}

function parseTool(value: JsonValue, path: string): ToolSpec[] {
  const tool = asObject(value, path);
  if (tool['cachePoint'] !== undefined) return [];
  const spec = asObject(tool['toolSpec'], `${path}.toolSpec`);
  const name = asString(spec['name'], `${path}.toolSpec.name`);
  if (!TOOL_NAME.test(name)) throw invalid(`${path}.toolSpec.name must match [a-zA-Z0-9_-]{1,64}`);
  const schema = asObject(
    asObject(spec['inputSchema'], `${path}.toolSpec.inputSchema`)['json'],
    `${path}.toolSpec.inputSchema.json`,
  );
  if (schema['type'] !== 'object') {
    throw invalid(`The value at ${path}.toolSpec.inputSchema.json.type must be one of the following: object.`);
  }
  const description = spec['description'];
  return [
    {
      name,
      schema,
      ...(description === undefined ? {} : { description: asString(description, `${path}.toolSpec.description`) }),
    },
  ];
}

function parseToolChoice(value: JsonValue | undefined, names: ReadonlySet<string>): ToolChoice {
  if (value === undefined || value === null) return { kind: 'auto' };
  const choice = asObject(value, 'toolConfig.toolChoice');
  if (choice['auto'] !== undefined) return { kind: 'auto' };
  if (choice['any'] !== undefined) return { kind: 'any' };
  const name = asString(
    asObject(choice['tool'], 'toolConfig.toolChoice.tool')['name'],
    'toolConfig.toolChoice.tool.name',
  );
  if (!names.has(name))
    throw invalid(`toolConfig.toolChoice names the tool ${name}, which toolConfig.tools does not hold.`);
  return { kind: 'tool', name };
}
