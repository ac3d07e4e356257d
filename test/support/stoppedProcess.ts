import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eventually } from './eventually.ts';

/** Resolves when a process stands still, as after SIGSTOP; Linux only. */
export async function untilStopped(pid: number): Promise<void> {
  await eventually(async () => assert.ok(await isStopped(pid)), 30_000);
}

/** Whether a process stands still; false for one that is gone. */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
