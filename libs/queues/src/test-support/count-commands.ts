import { Redis } from 'ioredis';

/**
 * Names of the commands that clients sent while `work` ran (not what scripts called), housekeeping of connections left out.
 * Nothing else may use the Redis meanwhile.
 */
export async function topLevelCommands(url: string, work: () => Promise<unknown>): Promise<string[]> {
  const client = new Redis(url);
  const monitor = await client.monitor();
  const seen: string[] = [];
  const mark = `end of counting ${Date.now()}`;
  const over = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (args[1] === mark) resolve();
      else if (source !== 'lua') seen.push((args[0] ?? '').toLowerCase());
    });
  });
  try {
    await work();
    await client.echo(mark);
    await over;
    return seen;
  } finally {
    monitor.disconnect();
    client.disconnect();
  }
}
