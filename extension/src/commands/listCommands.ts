import type { ChatView } from '../chat/chatView.ts';
import type { LIST_COMMANDS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { ListFilter } from '../sessions/listFilter.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { WhileAway } from '../sessions/whileAway.ts';
import { answerAsk, askOf } from './answerApproval.ts';
import { doctor } from './doctor.ts';
import { editRules } from './editRules.ts';
import { filterSessions } from './filterSessions.ts';
import { showSessions } from './showSessions.ts';
import { importSession } from './importSession.ts';
import { tagSession } from './labelCommands.ts';
import { moveSession } from './moveSession.ts';
import { openSample } from './openSample.ts';
import type { PickSession, SessionQuestion } from './pickSession.ts';
import type { CommandHandler, CommandHandlers } from './registerCommands.ts';
import { t } from '../../../protocol/text.ts';

interface Dependencies {
  relay: RelayConnection;
  /** Of the extension. */
  version: string;
  actions: SessionActions;
  store: SessionStore;
  filter: ListFilter;
  pick: PickSession;
  chat: ChatView;
  away: WhileAway;
}

const QUESTIONS = {
  pin: {
    placeHolder: t('Session to pin'),
    fits: summary => !summary.archived && summary.pinned !== true,
    none: t('There is no session to pin.'),
  },
  unpin: {
    placeHolder: t('Session to unpin'),
    fits: summary => summary.pinned === true,
    none: t('No session is pinned.'),
  },
  move: {
    placeHolder: t('Session to move'),
    fits: summary => !summary.archived,
    none: t('There is no session yet.'),
  },
  tag: { placeHolder: t('Session to tag'), fits: () => true, none: t('There is no session yet.') },
} satisfies Record<string, SessionQuestion>;

/** The commands of the list of sessions and of its rows. */
export function createListCommands({
  relay,
  version,
  actions,
  store,
  filter,
  pick,
  chat,
  away,
}: Dependencies): Pick<CommandHandlers, (typeof LIST_COMMANDS)[number]> {
  const forSession =
    (question: SessionQuestion, act: (sessionId: string) => Promise<void>): CommandHandler =>
    async argument => {
      const sessionId = await pick.pick(argument, question);
      if (sessionId !== undefined) {
        await act(sessionId);
      }
    };
  const answer =
    (kind: 'allow' | 'deny'): CommandHandler =>
    async argument => {
      const asked = askOf(argument);
      if (asked) {
        await answerAsk({ actions, chat }, asked, kind);
      }
    };
  return {
    'sandpiper.pinSession': forSession(QUESTIONS.pin, sessionId => actions.pin(sessionId, true)),
    'sandpiper.unpinSession': forSession(QUESTIONS.unpin, sessionId => actions.pin(sessionId, false)),
    'sandpiper.tagSession': forSession(QUESTIONS.tag, sessionId => tagSession(actions, store, sessionId)),
    'sandpiper.moveSession': forSession(QUESTIONS.move, sessionId => moveSession(relay, sessionId)),
    'sandpiper.filterSessions': () => filterSessions(store, filter),
    'sandpiper.clearFilter': () => Promise.resolve(filter.set('')),
    'sandpiper.showOlderSessions': async argument => {
      const archived = typeof argument === 'object' && argument !== null && 'archived' in argument && argument.archived;
      await store.loadOlder(archived === true);
    },
    'sandpiper.showSessions': async () => {
      await pick.load();
      await showSessions(actions, store);
    },
    'sandpiper.editRules': () => editRules(relay),
    'sandpiper.importSession': () => importSession({ relay, chat }),
    'sandpiper.openSample': () => openSample({ relay, chat }),
    'sandpiper.runDoctor': () => doctor(relay, version),
    'sandpiper.showAway': () => away.show(),
    'sandpiper.allowApproval': answer('allow'),
    'sandpiper.denyApproval': answer('deny'),
  };
}
