import type { CallHandlers } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { changedTags, MAX_TAGS } from '../../../protocol/tags.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Idempotency } from './idempotency.ts';
import type { Sessions } from './sessions.ts';

const by = 'owner';

/** The calls with which a person marks sessions. They are events of the session, so every client sees them. */
export function labelCallHandlers(
  sessions: Sessions,
  idempotency: Idempotency,
): Pick<CallHandlers<CallContext>, 'session.pin' | 'session.tag'> {
  return {
    'session.pin': params =>
      idempotency.once('session.pin', params, async record => {
        const session = await sessions.get(params.sessionId);
        const { pinned } = params;
        await session.record(state => ({
          events: (state.pinned ?? false) === pinned ? [] : [{ type: 'sessionPinned', pinned, by }],
          call: seq => record({ seq }),
        }));
        return { seq: session.log.state.seq };
      }),
    'session.tag': params =>
      idempotency.once('session.tag', params, async record => {
        const session = await sessions.get(params.sessionId);
        let tags: string[] = [];
        await session.record(state => {
          const before = state.tags ?? [];
          tags = changedTags(before, params.add, params.remove);
          if (tags.length > MAX_TAGS) {
            throw new SandpiperError('invalid_params', `A session has at most ${MAX_TAGS} tags.`, {
              hint: 'Remove one first.',
            });
          }
          return {
            events: tags.join('\n') === before.join('\n') ? [] : [{ type: 'sessionTagged', tags, by }],
            call: seq => record({ seq, tags }),
          };
        });
        return { seq: session.log.state.seq, tags };
      }),
  };
}
