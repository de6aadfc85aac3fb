import { expect, test } from '@jest/globals';
import { findProgram, runChild } from './run-child.ts';

const limits = { timeoutMs: 10_000, memoryMb: 512, signal: new AbortController().signal };

test('returns what a program writes and how it ended', async () => {
  expect(await runChild('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], limits)).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
    timedOut: false,
  });
});

test('kills at the time limit', async () => {
  const started = performance.now();
  expect(await runChild('/bin/sleep', ['30'], { ...limits, timeoutMs: 50 })).toMatchObject({
    code: null,
    timedOut: true,
  });
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('kills when told to', async () => {
  const abort = new AbortController();
  const running = runChild('/bin/sleep', ['30'], { ...limits, signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test('a program that wants more memory than allowed does not get it', async () => {
  const hungry = 'x=a; while :; do x=$x$x$x$x; done';
  expect((await runChild('/bin/sh', ['-c', hungry], { ...limits, memoryMb: 64 })).code).not.toBe(0);
});

test('finds programs on a path', async () => {
  expect(await findProgram('sh', '/nonexistent:/bin')).toBe('/bin/sh');
  expect(await findProgram('no-such-program', '/bin:/usr/bin')).toBeUndefined();
});
