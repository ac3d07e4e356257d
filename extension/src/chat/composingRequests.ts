import { sessionDigest } from '../../../protocol/sessionDigest.ts';
import type { RequestHandlers } from '../../../protocol/webviewApi.ts';
import { editorMentions } from './editorMentions.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';

/** What the composer of the page asks for besides sending. */
export function composingRequests(
  actions: SessionActions,
): Pick<
  RequestHandlers,
  'unqueue' | 'hurry' | 'configure' | 'goBack' | 'findPaths' | 'editorMentions' | 'describeSession'
> {
  return {
    unqueue: ({ sessionId, messageId }) => actions.unqueue(sessionId, messageId),
    async hurry({ sessionId, messageId, way }) {
      await actions.hurry(sessionId, messageId, way);
      return {};
    },
    configure: ({ sessionId, ...change }) => actions.configure(sessionId, change),
    findPaths: ({ sessionId, query }) => actions.findPaths(sessionId, query),
    editorMentions: async ({ query }) => ({ mentions: await editorMentions(query) }),
    describeSession: async ({ sessionId }) => ({ text: sessionDigest(await actions.state(sessionId)) }),
    goBack: ({ sessionId, turn }) => actions.goBack(sessionId, turn),
  };
}
