import { reduceEvents } from '../../../protocol/reducer.ts';
import type { Item, SessionState } from '../../../protocol/session.ts';
import type { Host } from '../host/host.ts';
import type { ChatModel } from './chatModel.ts';

/**
 * What a snapshot left out: reads the log from its beginning and folds it, up to the first item that is known.
 * @throws {SandpiperError} when the host cannot read the log
 */
export async function readOlderItems(host: Pick<Host, 'request'>, shown: SessionState): Promise<Item[]> {
  let state: SessionState | undefined;
  for (;;) {
    const after: number = state?.seq ?? 0;
    const { events } = await host.request('readEvents', { sessionId: shown.id, after });
    state = reduceEvents(
      state,
      events.filter(event => event.seq <= shown.seq),
      shown.id,
    );
    if (!state || state.seq >= shown.seq || state.seq === after) {
      break;
    }
  }
  const items = state?.items ?? [];
  const firstShown = shown.items[0]?.id;
  const end = items.findIndex(item => item.id === firstShown);
  return end < 0 ? items.slice(0, shown.omittedItems) : items.slice(0, end);
}

/**
 * Puts what a snapshot left out into the page, once.
 * @param beforeShown called when it was read, before the page draws it
 * @throws {SandpiperError} when the host cannot read the log
 */
export async function loadOlderItems(
  host: Pick<Host, 'request'>,
  model: ChatModel,
  session: SessionState,
  beforeShown: () => void = () => undefined,
): Promise<void> {
  const items = await readOlderItems(host, session);
  if (model.sessionId.peek() === session.id && model.olderItems.peek() === undefined) {
    beforeShown();
    model.olderItems.value = { sessionId: session.id, items };
  }
}
