import { SandpiperError } from '../../../protocol/errors.ts';
import { alreadyAnswered, answerTo } from '../../../protocol/outbox.ts';
import type { OutboxSender } from '../../../protocol/outboxSender.ts';
import { sessionDigest } from '../../../protocol/sessionDigest.ts';
import type { RequestHandlers } from '../../../protocol/webviewApi.ts';
import { ask } from '../state/dialogs.ts';
import type { ChangesPanel } from './changesPanel.ts';
import { pickProvider, type NewSessionSource } from './newSessionSource.ts';
import type { RelayConnection } from './relayConnection.ts';
import { toEvents, type SessionFollower } from './sessionFollower.ts';
import { turnAction } from './turnActions.ts';
import { t } from '../../../protocol/text.ts';

export interface BrowserParts {
  relay: RelayConnection;
  outbox: OutboxSender;
  follower: SessionFollower;
  source: NewSessionSource;
  changes: ChangesPanel;
}

/** What the extension does for the page inside VS Code, done by the page itself. */
export function browserRequests({ relay, outbox, follower, source, changes }: BrowserParts): RequestHandlers {
  const shown = (sessionId: string): NonNullable<SessionFollower['state']> => {
    const { state } = follower;
    if (state?.id !== sessionId) {
      throw new SandpiperError('conflict', t('Another session is open by now.'), { hint: t('Try again.') });
    }
    return state;
  };
  return {
    ...newSessionRequests({ relay, follower, source }),
    ...outboxRequests(outbox),
    unqueue: params => relay.mutate('message.withdraw', params),
    hurry: async params => {
      await relay.mutate('message.hurry', params);
      return {};
    },
    findPaths: params => relay.call('changes.findPaths', params),
    editorMentions: () => Promise.resolve({ mentions: [] }),
    describeSession: async params => ({ text: sessionDigest(await relay.call('session.get', params)) }),
    configure: params => relay.mutate('session.configure', params),
    goBack: params => relay.mutate('checkpoint.restore', { ...params, code: true, conversation: true }),
    stop: ({ sessionId }) => relay.mutate('session.stop', { sessionId }),
    retry: ({ sessionId }) => relay.mutate('session.retry', { sessionId }),
    openChanges: async ({ sessionId }) => {
      const { review } = shown(sessionId);
      await changes.show(sessionId, review.pending === 0 ? 'all' : 'pending');
      return {};
    },
    turnAction: ({ sessionId, ...chosen }) => turnAction({ relay, follower }, shown(sessionId), chosen),
    openFile: async ({ sessionId, path }) => {
      await changes.show(sessionId, 'all', path);
      return {};
    },
    openPlan: () => Promise.reject(new SandpiperError('unavailable', t('Plans are commented in VS Code.'))),
    acceptAll: async ({ sessionId }) => {
      await changes.acceptAll(sessionId, shown(sessionId).proposed);
      return {};
    },
    applyChanges: ({ sessionId }) =>
      Promise.reject(
        new SandpiperError('unavailable', t('A browser cannot write into your files.'), {
          hint: t('Run `sandpiper apply {0}` in your clone, or apply in VS Code.', sessionId),
        }),
      ),
    createPullRequest: ({ sessionId }) => createPullRequest(relay, sessionId, shown(sessionId).title),
    pinSession: async params => {
      await relay.mutate('session.pin', params);
      return {};
    },
    tendPullRequest: async ({ sessionId, deed }) => {
      await (deed === 'updateFromBase'
        ? relay.mutate('pullRequest.updateFromBase', { sessionId })
        : relay.mutate('pullRequest.tend', { sessionId, deed }));
      return {};
    },
    openExternal: ({ url }) => {
      window.open(url, '_blank', 'noopener,noreferrer');
      return Promise.resolve({});
    },
    selectSession: async ({ sessionId }) => {
      changes.close();
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
        new SandpiperError('unavailable', t('A browser cannot show the log of the relay.'), {
          hint: t('It stands in the data folder of the relay.'),
        }),
      ),
    ...wideRequests(relay, follower, changes),
    copy: async ({ text }) => {
      await navigator.clipboard.writeText(text);
      return {};
    },
    setModelKey: () => setModelKey(relay, source),
  };
}

/** What looks at more than the page has of the open session, and what takes an editor. */
function wideRequests(
  relay: RelayConnection,
  follower: SessionFollower,
  changes: ChangesPanel,
): Pick<RequestHandlers, 'searchSessions' | 'showPlace' | 'exportSession' | 'insertCode' | 'applyCode'> {
  return {
    insertCode: noEditor,
    applyCode: noEditor,
    searchSessions: params => relay.call('session.search', params),
    showPlace: async ({ sessionId, itemId }) => {
      changes.close();
      await follower.open(sessionId);
      if (itemId !== undefined) {
        follower.show(itemId);
      }
      return {};
    },
    exportSession: async ({ sessionId }) => {
      const reader = {
        readEvents: async (id: string, after: number) => {
          const { events, lastSeq } = await relay.call('session.events', { sessionId: id, after, limit: 1000 });
          return { events: toEvents(events), lastSeq };
        },
        readBlob: (id: string, hash: string, offset: number) =>
          relay.call('blob.read', { sessionId: id, hash, offset }),
      };
      await (await import('./exportToDownload.ts')).exportToDownload(reader, sessionId);
      return {};
    },
  };
}

/** What must reach the relay, now or when it is back. */
function outboxRequests(outbox: OutboxSender): Pick<RequestHandlers, 'send' | 'answer' | 'withdraw' | 'sendAgain'> {
  return {
    send: async ({ sessionId, key, ...message }) => {
      await outbox.put({ key, relay: location.host, sessionId, content: { kind: 'message', ...message } });
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

function noEditor(): Promise<never> {
  return Promise.reject(new SandpiperError('unavailable', t('There is no editor here.'), { hint: t('Use VS Code.') }));
}

async function createPullRequest(relay: RelayConnection, sessionId: string, title: string): Promise<{ url?: string }> {
  const answer = await ask({
    title: t('Create a pull request?'),
    body: t(
      'The changes that you accepted, or all when you accepted none, are pushed to a branch of the remote, and a draft pull request is opened there, or the open one is updated.',
    ),
    code: title,
    confirm: t('Push and Open'),
  });
  if (answer === undefined) {
    return {};
  }
  const { pullRequest } = await relay.mutate('pullRequest.open', { sessionId, draft: true });
  return { url: pullRequest.url };
}

async function setModelKey(relay: RelayConnection, source: NewSessionSource): Promise<{ stored: boolean }> {
  const apiKey = await ask({
    title: t('Set the model key'),
    body: t('The relay keeps the key in its memory only, and never gives it to a sandbox.'),
    confirm: t('Set Key'),
    secret: { label: t('Anthropic API key') },
  });
  if (apiKey === undefined) {
    return { stored: false };
  }
  await relay.call('relay.setModelKey', { apiKey: apiKey.trim() });
  await source.refresh();
  return { stored: true };
}

function newSessionRequests({
  relay,
  follower,
  source,
}: Pick<BrowserParts, 'relay' | 'follower' | 'source'>): Pick<
  RequestHandlers,
  'startSession' | 'warm' | 'chooseRepository'
> {
  return {
    startSession: async ({ acceptNoIsolation, ...start }) => {
      const { providers } = await relay.call('relay.info', {});
      const provider = pickProvider(providers)?.id;
      const { sessionId } = await relay.mutate('session.create', {
        source: source.source.peek(),
        ...start,
        acceptNoIsolation: acceptNoIsolation === true,
        ...(provider === undefined ? {} : { provider }),
      });
      await follower.open(sessionId);
      return { sessionId };
    },
    warm: async () => {
      const provider = pickProvider((await relay.call('relay.info', {})).providers)?.id;
      const params = { source: source.source.peek(), ...(provider === undefined ? {} : { provider }) };
      return relay.call('repository.warm', params);
    },
    chooseRepository: () => Promise.resolve({}),
  };
}
