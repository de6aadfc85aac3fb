import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'manuel-ingest-';

export interface WorkFolders {
  /** Runs work with a folder of its own, removed afterwards. */
  withFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
}

/** Folders under the system's temporary one. What a process that was killed left behind is removed here. */
export async function createWorkFolders(): Promise<WorkFolders> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1] ?? process.pid);
    if (!isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
  return {
    async withFolder(work) {
      const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Object && 'code' in error && error.code === 'EPERM';
  }
}
