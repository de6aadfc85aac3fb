import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { createLogger, createMetrics, startHealthServer, withLogContext } from './index.ts';

test('a line bears the context of its request and hides secrets', async () => {
  const stream = new PassThrough();
  const logger = createLogger({ service: 'gateway', level: 'info', stream }).child({ component: 'auth' });
  await withLogContext({ request_id: 'r1' }, async () => {
    await Promise.resolve();
    withLogContext({ job_id: 'j1' }, () => {
      logger.info('hello', { authorization: 'Bearer abc', token: 'abc', tokens: 3, error: new Error('boom') });
    });
  });
  const line = JSON.parse(String(stream.read())) as Record<string, unknown>;
  expect(line).toMatchObject({
    level: 'info',
    service: 'gateway',
    component: 'auth',
    message: 'hello',
    request_id: 'r1',
    job_id: 'j1',
    authorization: '(hidden)',
    token: '(hidden)',
    tokens: 3,
    error: { message: 'boom' },
  });
  expect(Date.parse(String(line['timestamp']))).not.toBeNaN();
});

test('a process that ends at once has written all its lines, in order', async () => {
  const program = `
    import { createLogger } from '@manuel/telemetry';
    const logger = createLogger({ service: 'brief', level: 'info' });
    logger.info('one');
    await new Promise((resolve) => setImmediate(resolve));
    logger.info('two', { message: 'a field', level: 'none' });
    logger.error('three');
    process.exit(3);`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
  });
  const { code, stdout } = (await run.catch((error: unknown) => error)) as { code: number; stdout: string };
  const lines = stdout.trim().split('\n');
  expect([code, lines.map((line) => (JSON.parse(line) as { message: string }).message)]).toEqual([
    3,
    ['one', 'two', 'three'],
  ]);
});

test('probes tell life, readiness and metrics apart', async () => {
  const metrics = createMetrics('test');
  metrics.count('jobs_total', 'Jobs', { queue: 'query' });
  let ready = false;
  const server = await startHealthServer({
    port: 0,
    host: '127.0.0.1',
    metrics,
    live: async () => ({ ok: true, detail: { consumed: 1 } }),
    ready: async () => {
      if (!ready) throw new Error('Redis does not answer');
    },
  });
  try {
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
    expect((await get('/livez')).status).toBe(200);
    const before = await get('/readyz');
    expect([before.status, await before.json()]).toEqual([
      503,
      { status: 'unavailable', reason: 'Redis does not answer' },
    ]);
    ready = true;
    expect((await get('/readyz')).status).toBe(200);
    expect(await (await get('/metrics')).text()).toContain('manuel_jobs_total{queue="query",service="test"} 1');
    expect((await get('/other')).status).toBe(404);
  } finally {
    await server.close();
  }
});
