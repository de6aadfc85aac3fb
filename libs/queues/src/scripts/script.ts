import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

/** A Lua script that runs in one round trip, atomically. All its keys share the prefix's hash tag. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export type ScriptArgument = string | number | Buffer;
/** What Redis gives back for a Lua value: tables become arrays, false becomes null. */
export type ScriptReply = string | number | null | ScriptReply[];

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/** Runs by digest; sends the text once when Redis does not know it (after a restart). `prefix` is ARGV[1] and KEYS[1]. */
export async function run(
  redis: Redis,
  { sha, lua }: Script,
  prefix: string,
  args: readonly ScriptArgument[],
): Promise<ScriptReply> {
  try {
    // Safe: these are the only kinds of values a script can return under RESP2 or RESP3 without `redis.setresp`.
    return (await redis.evalsha(sha, 1, prefix, prefix, ...args)) as ScriptReply;
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return (await redis.eval(lua, 1, prefix, prefix, ...args)) as ScriptReply;
  }
}

const toParameter = (value: ScriptArgument): string | Buffer => (typeof value === 'number' ? String(value) : value);

/** What a script gives back when its texts are left as bytes. */
export type ScriptBytes = Buffer | number | null | ScriptBytes[];

/** The same with raw bytes in the reply, for values that are no text (compressed cache entries). */
export async function runForBytes(
  redis: Redis,
  { sha, lua }: Script,
  prefix: string,
  args: readonly ScriptArgument[],
): Promise<ScriptBytes> {
  // Not `callBuffer`: with auto-pipelining, ioredis 6 loses the command's name there.
  const send = (name: 'evalsha' | 'eval', source: string): Promise<unknown> => {
    const command = new Command(name, [source, '1', prefix, prefix, ...args.map(toParameter)], { replyEncoding: null });
    return redis.sendCommand(command) as Promise<unknown>;
  };
  try {
    return (await send('evalsha', sha)) as ScriptBytes;
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return (await send('eval', lua)) as ScriptBytes;
  }
}
