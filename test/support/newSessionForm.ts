import type { DraftContext } from '../../protocol/webviewApi.ts';
import type { WebviewPage } from './webviewPage.ts';

/** Shows the form of a new session where nothing isolates it, so that it asks for consent. */
export async function showNewSession(
  chat: Pick<WebviewPage, 'tell'>,
  changes: Partial<DraftContext> = {},
): Promise<void> {
  const context: DraftContext = {
    repository: {
      repository: { id: 'r', name: 'webshop', source: '/home/me/webshop', branch: 'main' },
      head: 'a'.repeat(40),
      detached: false,
      uncommitted: 2,
      notes: [],
    },
    canChoose: true,
    providers: [{ id: 'local', available: true, isolation: 'none' }],
    needsConsent: true,
    notes: [],
    modelKeyPresent: false,
    defaults: { permissionMode: 'ask', includeUncommitted: false },
    ...changes,
  };
  await chat.tell({ type: 'draft', context }, { type: 'open', sessionId: null, state: null, live: [] });
}
