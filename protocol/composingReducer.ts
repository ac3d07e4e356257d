import type { EventOf } from './events.ts';
import { notice, type Handlers } from './reducerParts.ts';
import { settingsText } from './settingsText.ts';

/* The part of the reducer that follows settings and queued messages. */

type ComposingEvent = 'messageQueued' | 'messageHurried' | 'messageWithdrawn' | 'settingsChanged' | 'commandsFound';

export const composingHandlers: Handlers<ComposingEvent> = {
  messageQueued: (_state, body, { at, items }) => {
    items.add({
      kind: 'message',
      id: body.messageId,
      at,
      text: body.text,
      by: body.by,
      delivery: 'queued',
      ...wayOf(body.way),
      ...(body.images ? { images: body.images } : {}),
      ...(body.origin ? { origin: body.origin } : {}),
    });
    return {};
  },
  messageHurried: (_state, { messageId, way }, { items }) => {
    items.changeLast(item =>
      item.kind === 'message' && item.id === messageId ? { ...item, ...wayOf(way) } : undefined,
    );
    return {};
  },
  messageWithdrawn: (_state, { messageId }, { items }) => {
    items.keep(item => item.kind !== 'message' || item.id !== messageId);
    return {};
  },
  commandsFound: (_state, { commands }) => ({ commands }),
  settingsChanged: (_state, { model, effort, permissionMode, by }, { at, seq, items }) => {
    items.add(notice(seq, at, 'info', settingsText({ model, effort, permissionMode }, by)));
    return {
      ...(model === undefined ? {} : { model: model ?? undefined }),
      ...(effort === undefined ? {} : { effort: effort ?? undefined }),
      ...(permissionMode === undefined ? {} : { permissionMode }),
    };
  },
};

function wayOf(way: EventOf<'messageQueued'>['way']): { way?: 'steer' | 'interrupt' } {
  return way === 'steer' || way === 'interrupt' ? { way } : {};
}
