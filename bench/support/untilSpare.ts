import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Waits for a sandbox that no session has, whose clone is whole and which the relay has noted. */
export async function untilSpare(folder: string): Promise<void> {
  const isSpare = async (name: string): Promise<boolean> => {
    const record = await readFile(join(folder, name, 'relay', 'sandbox.json'), 'utf8').catch(() => '');
    return record.includes('"spare-') && existsSync(join(folder, name, 'workspace', '.git', 'sandpiper.index'));
  };
  while (!(await Promise.all((await readdir(folder)).map(isSpare))).includes(true)) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await new Promise(resolve => setTimeout(resolve, 500));
}
