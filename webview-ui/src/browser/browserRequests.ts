import { SandpiperError } from '../../../protocol/errors.ts';
import { alreadyAnswered, answerTo } from '../../../protocol/outbox.ts';
import type { OutboxSender } from '../../../protocol/outboxSender.ts';
import type { RequestHandlers } from '../../../protocol/webviewApi.ts';
import { ask } from '../state/dialogs.ts';
import type { DiffPanel } from './diffPanel.ts';
import { pickProvider, type NewSessionSource } from './newSessionSource.ts';
import type { RelayConnection } from './relayConnection.ts';
import { toEvents, type SessionFollower } from './sessionFollower.ts';
import { turnAction } from './turnActions.ts';

export interface BrowserParts {
  relay: RelayConnection;
  outbox: OutboxSender;
  follower: SessionFollower;
  source: NewSessionSource;
  diffPanel: DiffPanel;
}

/** What the extension does for the page inside VS Code, done by the page itself. */
export function browserRequests({ relay, outbox, follower, source, diffPanel }: BrowserParts): RequestHandlers {
  const shown = (sessionId: string): NonNullable<SessionFollower['state']> => {
    const { state } = follower;
    if (state?.id !== sessionId) {
      throw new SandpiperError('conflict', 'Another session is open by now.', { hint: 'Try again.' });
    }
    return state;
  };
  return {
    startSession: async ({ prompt, includeUncommitted, permissionMode, model, acceptNoIsolation }) => {
      const { providers } = await relay.call('relay.info', {});
      const provider = pickProvider(providers)?.id;
      const { sessionId } = await relay.mutate('session.create', {
        source: source.source.peek(),
        prompt,
        includeUncommitted,
        permissionMode,
        acceptNoIsolation: acceptNoIsolation === true,
        ...(model === undefined ? {} : { model }),
        ...(provider === undefined ? {} : { provider }),
      });
      await follower.open(sessionId);
      return { sessionId };
    },
    chooseRepository: () => Promise.resolve({}),
    ...outboxRequests(outbox),
    stop: ({ sessionId }) => relay.mutate('session.stop', { sessionId }),
    retry: ({ sessionId }) => relay.mutate('session.retry', { sessionId }),
    openChanges: async ({ sessionId }) => {
      const { review } = shown(sessionId);
      await diffPanel.show(sessionId, review.pending === 0 ? 'all' : 'pending');
      return {};
    },
    turnAction: ({ sessionId, ...chosen }) => turnAction({ relay, follower }, shown(sessionId), chosen),
    openFile: async ({ sessionId, path }) => {
      await diffPanel.show(sessionId, 'all', path);
      return {};
    },
    acceptAll: async ({ sessionId }) => {
      const expectedProposed = shown(sessionId).proposed;
      const { left } = await relay.mutate('changes.acceptAll', { sessionId, expectedProposed });
      if (left.length > 0) {
        const paths = left.map(({ path }) => path).join(', ');
        throw new SandpiperError('conflict', `Accepted all but what can run code on a developer's machine: ${paths}.`, {
          hint: 'Look at these files and accept them in VS Code.',
        });
      }
      return {};
    },
    createPullRequest: ({ sessionId }) => createPullRequest(relay, sessionId, shown(sessionId).title),
    openExternal: ({ url }) => {
      window.open(url, '_blank', 'noopener,noreferrer');
      return Promise.resolve({});
    },
    selectSession: async ({ sessionId }) => {
      diffPanel.close();
      await Promise.all([follower.open(sessionId), ...(sessionId === null ? [source.refresh()] : [])]);
      return {};
    },
    readBlob: ({ sessionId, hash, offset }) => relay.call('blob.read', { sessionId, hash, offset }),
    readEvents: async ({ sessionId, after }) => {
      const { events, lastSeq } = await relay.call('session.events', { sessionId, after, limit: 1000 });
      return { events: toEvents(events), lastSeq };
    },
    reconnect: () => {
      relay.connect();
      return Promise.resolve({});
    },
    showLog: () =>
      Promise.reject(
        new SandpiperError('unavailable', 'A browser cannot show the log of the relay.', {
          hint: 'It stands in the data folder of the relay.',
        }),
      ),
    copy: async ({ text }) => {
      await navigator.clipboard.writeText(text);
      return {};
    },
    setModelKey: () => setModelKey(relay, source),
  };
}

/** What must reach the relay, now or when it is back. */
function outboxRequests(outbox: OutboxSender): Pick<RequestHandlers, 'send' | 'answer' | 'withdraw' | 'sendAgain'> {
  return {
    send: async ({ sessionId, text, key }) => {
      await outbox.put({ key, relay: location.host, sessionId, content: { kind: 'message', text } });
      return {};
    },
    withdraw: async ({ key }) => {
      await outbox.withdraw(key);
      return {};
    },
    sendAgain: async ({ key }) => {
      await outbox.tryAgain(key);
      return {};
    },
    answer: async ({ sessionId, approvalId, decision, key }) => {
      await outbox.load();
      const before = answerTo(outbox.entries, sessionId, approvalId);
      if (before && before.key !== key) {
        throw alreadyAnswered();
      }
      const content = { kind: 'answer', approvalId, decision } as const;
      await outbox.put({ key, relay: location.host, sessionId, content });
      return {};
    },
  };
}

async function createPullRequest(relay: RelayConnection, sessionId: string, title: string): Promise<{ url?: string }> {
  const answer = await ask({
    title: 'Create a pull request?',
    body: 'The changes that you accepted, or all when you accepted none, are pushed to a branch of the remote, and a draft pull request is opened there, or the open one is updated.',
    code: title,
    confirm: 'Push and Open',
  });
  if (answer === undefined) {
    return {};
  }
  const { pullRequest } = await relay.mutate('pullRequest.open', { sessionId, draft: true });
  return { url: pullRequest.url };
}

async function setModelKey(relay: RelayConnection, source: NewSessionSource): Promise<{ stored: boolean }> {
  const apiKey = await ask({
    title: 'Set the model key',
    body: 'The relay keeps the key in its memory only, and never gives it to a sandbox.',
    confirm: 'Set Key',
    secret: { label: 'Anthropic API key' },
  });
  if (apiKey === undefined) {
    return { stored: false };
  }
  await relay.call('relay.setModelKey', { apiKey: apiKey.trim() });
  await source.refresh();
  return { stored: true };
}
