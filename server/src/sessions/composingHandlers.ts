import type { CallHandlers } from '../../../protocol/calls.ts';
import { newId } from '../../../protocol/ids.ts';
import type { CallContext } from '../core/callContext.ts';
import { configureDraft, hurryDraft, sendDraft, withdrawDraft } from './composing.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import { loadImages, storeImages } from './messageImages.ts';
import type { Sessions } from './sessions.ts';

export type ComposingHandlers = Pick<
  CallHandlers<CallContext>,
  'session.send' | 'session.configure' | 'message.hurry' | 'message.withdraw'
>;

const by = 'owner';

/** The calls with which a person tells the agent what to do, and how. */
export function composingHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): ComposingHandlers {
  return {
    'session.send': params =>
      idempotency.once('session.send', params, async record => {
        const { sessionId, text, way, images: contents, origin } = params;
        const session = await sessions.get(sessionId);
        await dependencies.requireRoom(sessionId);
        const images = { refs: await storeImages(dependencies, session.log.state.agent.id, contents), contents };
        const messageId = newId('msg');
        const seq = await session.perform((agent, state, runtime) => ({
          ...sendDraft(agent, state, runtime, { messageId, text, way, by, images, origin }),
          call: last => record({ messageId, seq: last }),
        }));
        return { messageId, seq };
      }),
    'session.configure': params =>
      idempotency.once('session.configure', params, async record => {
        const { sessionId, key: _key, ...change } = params;
        const session = await sessions.get(sessionId);
        let applies: 'now' | 'nextTurn' = 'now';
        const seq = await session.perform((agent, state, runtime) => {
          const { applies: when, ...draft } = configureDraft(agent, state, runtime, { change, by });
          applies = when;
          return { ...draft, call: last => record({ seq: last, applies }) };
        });
        return { seq, applies };
      }),
    'message.hurry': params =>
      idempotency.once('message.hurry', params, async record => {
        const { sessionId, messageId, way } = params;
        const session = await sessions.get(sessionId);
        const images = await loadImages(dependencies.blobs, session.log.state, messageId);
        const seq = await session.perform((agent, state, runtime) => ({
          ...hurryDraft(agent, state, runtime, { messageId, way, by, images }),
          call: last => record({ seq: last }),
        }));
        return { seq };
      }),
    'message.withdraw': params =>
      idempotency.once('message.withdraw', params, async record => {
        const { sessionId, messageId } = params;
        const session = await sessions.get(sessionId);
        let text = '';
        const seq = await session.perform((_agent, state) => {
          const { text: written, ...draft } = withdrawDraft(state, { messageId, by });
          text = written;
          return { ...draft, call: last => record({ seq: last, text }) };
        });
        return { seq, text };
      }),
  };
}
