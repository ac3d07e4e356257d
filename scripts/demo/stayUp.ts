import { join } from 'node:path';
import { findRelay } from '../../client/localRelay.ts';
import { defer, say } from './stage.ts';

export interface DemoOptions {
  /** Of the real model; undefined: a scripted one. */
  realKey: string | undefined;
  keep: boolean;
  editor: boolean;
}

/** Leaves relay, web page and, if wanted, VS Code up until Ctrl-C. */
export async function stayUp(
  { keep, editor: isEditor }: DemoOptions,
  folder: string,
  repository: string,
): Promise<void> {
  if (!keep) {
    return;
  }
  const address = await findRelay(join(folder, 'data'));
  if (!address) {
    throw new Error('The relay has gone.');
  }
  const response = await fetch(`${address.url}/v1/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${address.token}` },
  });
  const body: unknown = await response.json();
  const ticket = typeof body === 'object' && body !== null && 'ticket' in body ? String(body.ticket) : '';
  say(`Web page (the link works once, for a minute): ${address.url}/#ticket=${ticket}`);
  if (isEditor) {
    const { openDemoEditor } = await import('./editor.ts');
    const editor = await openDemoEditor({ repository, dataFolder: join(folder, 'data'), say });
    defer(() => editor.close());
  }
  say('Press Ctrl-C to end.');
  await new Promise<void>(resolve => process.once('SIGINT', () => resolve()));
}
