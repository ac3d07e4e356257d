import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { userText } from '../userText.ts';
import { dateTime, t } from '../../../protocol/text.ts';

type Hit = CallResult<'session.search'>['hits'][number];
type HitItem = vscode.QuickPickItem & { hit?: Hit };

/** A fast writer asks once. */
const TYPING_MS = 200;

const KINDS: Record<Hit['kind'], string> = {
  title: 'symbol-key',
  message: 'account',
  text: 'comment',
  thinking: 'lightbulb',
  tool: 'tools',
  notice: 'info',
};

/** Asks for words, shows where they stand as they are typed, and opens the place that is chosen. */
export async function searchSessions(
  actions: Pick<SessionActions, 'search'>,
  chat: Pick<ChatView, 'reveal' | 'showItem'>,
): Promise<void> {
  const chosen = await pickHit(actions);
  if (chosen?.itemId !== undefined) {
    await chat.showItem(chosen.sessionId, chosen.itemId);
  } else if (chosen) {
    await chat.reveal(chosen.sessionId);
  }
}

function pickHit(actions: Pick<SessionActions, 'search'>): Promise<Hit | undefined> {
  const pick = vscode.window.createQuickPick<HitItem>();
  pick.title = t('Search Sessions');
  pick.placeholder = t('Words that stand in one message, answer or tool call; "in quotes" they are one');
  pick.matchOnDescription = false;
  let timer: NodeJS.Timeout | undefined;
  let asked = 0;
  const look = async (query: string): Promise<void> => {
    const now = ++asked;
    if (query === '') {
      pick.items = [];
      return;
    }
    pick.busy = true;
    let items: HitItem[];
    try {
      items = toItems(await actions.search(query));
    } catch (thrown) {
      items = [{ label: `$(warning) ${userText(toSandpiperError(thrown))}`, alwaysShow: true }];
    }
    // An answer to what was typed before is of no use any more.
    if (now === asked) {
      pick.items = items;
      pick.busy = false;
    }
  };
  return new Promise(resolve => {
    pick.onDidChangeValue(value => {
      clearTimeout(timer);
      timer = setTimeout(() => void look(value.trim()), TYPING_MS);
    });
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item?.hit) {
        resolve(item.hit);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      asked++;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** By session, each where its newest place is. What is found need not hold the words as they were typed. */
function toItems({ hits, more }: CallResult<'session.search'>): HitItem[] {
  if (hits.length === 0) {
    return [{ label: t('Nothing found'), alwaysShow: true }];
  }
  const sessions = [...new Set(hits.map(({ sessionId }) => sessionId))];
  const items = sessions.flatMap(sessionId => {
    const own = hits.filter(hit => hit.sessionId === sessionId);
    return [
      { label: plain(own[0]?.title ?? ''), kind: vscode.QuickPickItemKind.Separator },
      ...own.map(hit => ({
        label: `$(${KINDS[hit.kind]}) ${plain(hit.snippet.text)}`,
        description: dateTime(hit.at),
        alwaysShow: true,
        hit,
      })),
    ];
  });
  return more ? [...items, { label: t('There is more: type another word'), alwaysShow: true }] : items;
}

/** `$(name)` would draw an icon. */
function plain(text: string): string {
  return text.replaceAll('$(', '$\u200b(');
}
