import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Settings, settingsSchema } from './schema.ts';

/** What was wrong with the settings, one readable line a fault. */
export class SettingsError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(['The settings are not valid:', ...faults.map((fault) => `  ${fault}`)].join('\n'));
    this.name = 'SettingsError';
    this.faults = faults;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** One leaf of the schema: where it is, what it takes. */
export interface SettingLeaf {
  readonly path: readonly string[];
  /** `quota.daily_limit` -> `QUOTA_DAILY_LIMIT` */
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly secret: boolean;
}

export const variableOf = (path: readonly string[]): string => path.join('_').toUpperCase();

/** Other names of a variable that users know. */
const aliases: Readonly<Record<string, string>> = {
  PORT: 'HTTP_PORT',
  AWS_REGION: 'REGION',
};

export function settingLeaves(schema: z.ZodType = settingsSchema, path: readonly string[] = []): SettingLeaf[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
      settingLeaves(child, [...path, key]),
    );
  }
  const secret = (schema.meta() as { secret?: boolean } | undefined)?.secret === true;
  return [{ path, variable: variableOf(path), schema, secret }];
}

const configDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'config');

/** The environments that have a parameter file. */
export const environments = (dir = configDir): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.replace(/\.json$/, ''))
    .sort();

type Tree = { [key: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

/** A parameter file, on top of the one its `extends` names. */
export function readParameterFile(environment: string, dir = configDir): Tree {
  const path = join(dir, `${environment}.json`);
  if (!/^[a-z0-9-]+$/.test(environment) || !existsSync(path)) {
    throw new SettingsError([
      `MANUEL_ENV: given ${JSON.stringify(environment)}, allowed: ${environments(dir).join(', ')}`,
    ]);
  }
  const { extends: base, ...own } = JSON.parse(readFileSync(path, 'utf8')) as Tree & { extends?: string };
  return base === undefined ? own : merge(readParameterFile(base, dir), own);
}

function fromText(schema: z.ZodType, text: string): unknown {
  if (schema instanceof z.ZodNumber)
    return text.trim() === '' ? text : Number.isNaN(Number(text)) ? text : Number(text);
  if (schema instanceof z.ZodBoolean)
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (schema instanceof z.ZodArray) return listFrom(text);
  return text;
}

/** `a,b`, or as it stands in a parameter file: `["a","b"]`. */
function listFrom(text: string): unknown {
  if (text.trim().startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      // Then it is none of JSON's.
    }
  }
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const next = node[key];
    const child: Tree = isTree(next) ? next : {};
    node[key] = child;
    node = child;
  }
  node[path[path.length - 1] ?? ''] = value;
}

function rangeOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodEnum) return schema.options.join(', ');
  if (schema instanceof z.ZodNumber)
    return `${schema.format === 'safeint' ? 'a whole number' : 'a number'} from ${schema.minValue} to ${schema.maxValue}`;
  if (schema instanceof z.ZodBoolean) return 'true, false';
  if (schema instanceof z.ZodArray) return 'a list, as `a,b` or as JSON';
  return 'text';
}

/**
 * The parameter file that `MANUEL_ENV` names (development by default), overlaid by environment variables, checked.
 * Throws SettingsError with one line for each fault: the variable, what was given, what is allowed. Secrets are not shown.
 */
export function loadSettings(environment: Environment, dir = configDir): Settings {
  const tree = structuredClone(readParameterFile(environment['MANUEL_ENV'] || 'development', dir));
  const leaves = settingLeaves();
  const given = new Map<string, string>();
  const namedAs = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    const target = aliases[name];
    if (target !== undefined && environment[target] === undefined) {
      given.set(target, value);
      namedAs.set(target, name);
    } else given.set(name, value);
  }
  for (const leaf of leaves) {
    const text = given.get(leaf.variable);
    if (text !== undefined) put(tree, leaf.path, fromText(leaf.schema, text));
  }
  const parsed = settingsSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues.map((issue) => {
      const path = issue.path.map(String);
      const leaf = leaves.find((candidate) => candidate.path.every((part, index) => path[index] === part));
      const variable = variableOf(leaf?.path ?? path);
      if (!leaf) return `${variable}: ${issue.message}`;
      const value = leaf.path.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
      const shown = leaf.secret
        ? '(hidden)'
        : value === undefined
          ? 'nothing'
          : JSON.stringify(given.get(variable) ?? value);
      const reason = leaf.schema instanceof z.ZodString ? issue.message : rangeOf(leaf.schema);
      return `${namedAs.get(variable) ?? variable} (${leaf.path.join('.')}): given ${shown}, allowed: ${reason}`;
    }),
  );
}

/** The settings of this process. */
export const loadProcessSettings = (): Settings => loadSettings(process.env);
