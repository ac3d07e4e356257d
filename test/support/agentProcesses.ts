import { readdir, readFile } from 'node:fs/promises';
import type { Workshop } from './workshop.ts';

/** Command lines of the processes on this machine that belong to agents of a session; Linux only. */
export async function agentProcesses(shop: Workshop, sessionId: string): Promise<string[]> {
  const ready = (await shop.events(sessionId)).findLast(({ body }) => body.type === 'sandboxReady')?.body;
  if (ready?.type !== 'sandboxReady') {
    return [];
  }
  const mark = new RegExp(`=${ready.sandboxId}/[^:]*:agent-`);
  const found = (await readdir('/proc')).map(async pid => {
    const environment = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') : '';
    return mark.test(environment) ? [await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')] : [];
  });
  return (await Promise.all(found)).flat().map(line => line.replaceAll('\0', ' '));
}
