import * as vscode from 'vscode';
import { askLine } from '../../../protocol/asking.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { groupSessions } from '../../../protocol/sessionGroup.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { describeSession, isStoppable } from '../sessions/sessionGroups.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { t, told } from '../../../protocol/text.ts';

interface Button extends vscode.QuickInputButton {
  act: () => PromiseLike<unknown>;
  /** What is shown next is something else. */
  leaves: boolean;
}

interface Row extends vscode.QuickPickItem {
  sessionId?: string;
  run?: () => PromiseLike<unknown>;
  buttons?: readonly Button[];
}

/** All sessions by what they want, with what can be done at once; what the status item opens. */
export function showSessions(actions: SessionActions, store: SessionStore): Promise<void> {
  const box = vscode.window.createQuickPick<Row>();
  box.title = t('Sessions');
  box.placeholder = t('Session to open');
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  // What was typed and chosen stays when a session moves on.
  box.keepScrollPosition = true;
  const draw = (): void => {
    const active = box.activeItems[0]?.sessionId;
    const items = rowsFor(actions, store.summaries);
    box.items = items;
    const same = items.find(({ sessionId }) => sessionId !== undefined && sessionId === active);
    box.activeItems = same ? [same] : box.activeItems;
  };
  return new Promise((resolve, reject) => {
    const listening = store.onDidChange(draw);
    const attempt = (act: () => PromiseLike<unknown>): void => {
      act().then(undefined, (thrown: unknown) => {
        box.hide();
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      });
    };
    box.onDidTriggerItemButton(({ item, button }) => {
      const pressed = item.buttons?.find(one => one === button);
      if (pressed) {
        if (pressed.leaves) {
          box.hide();
        }
        attempt(pressed.act);
      }
    });
    box.onDidAccept(() => {
      const [row] = box.activeItems;
      box.hide();
      if (row?.run) {
        attempt(row.run);
      }
    });
    box.onDidHide(() => {
      listening.dispose();
      box.dispose();
      resolve();
    });
    draw();
    box.show();
  });
}

function rowsFor(actions: SessionActions, summaries: SessionSummary[]): Row[] {
  const groups = groupSessions(summaries.filter(summary => !summary.archived));
  return [
    ...groups.flatMap(group => [
      { label: told(group.label), kind: vscode.QuickPickItemKind.Separator },
      ...group.sessions.map(summary => sessionRow(actions, summary)),
    ]),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    {
      label: `$(add) ${t('New Session')}`,
      alwaysShow: true,
      run: () => vscode.commands.executeCommand('sandpiper.newSession'),
    },
    {
      label: `$(history) ${t('What Happened While I Was Away')}`,
      alwaysShow: true,
      run: () => vscode.commands.executeCommand('sandpiper.showAway'),
    },
  ];
}

function sessionRow(actions: SessionActions, summary: SessionSummary): Row {
  const { id, asking = [] } = summary;
  const [ask] = asking;
  return {
    label: summary.title,
    description: describeSession(summary, Date.now()),
    ...(ask
      ? {
          detail: [
            askLine(ask),
            ...(ask.risk === undefined ? [] : [t('({0} risk: {1})', told(ask.risk), told(ask.why ?? ''))]),
            ...(asking.length > 1 ? [t('and {0} more', asking.length - 1)] : []),
          ].join(' '),
        }
      : {}),
    sessionId: id,
    run: () => vscode.commands.executeCommand('sandpiper.openSession', id),
    buttons: [
      // Only what the row shows whole is allowed from it.
      ...(ask?.whole === true
        ? [button('check', t('Allow'), () => actions.answer(id, ask.id, { kind: 'allow' }), false)]
        : []),
      ...(ask && ask.whole !== true
        ? [
            button(
              'bell-dot',
              t('Answer…'),
              () => vscode.commands.executeCommand('sandpiper.answerApproval', { sessionId: id, ask }),
              true,
            ),
          ]
        : []),
      ...(isStoppable(summary) ? [button('debug-stop', t('Stop Turn'), () => actions.stop(id), false)] : []),
      ...(summary.pending
        ? [
            button(
              'diff-multiple',
              t('Open Changes'),
              () => vscode.commands.executeCommand('sandpiper.openChanges', id),
              true,
            ),
          ]
        : []),
    ],
  };
}

function button(icon: string, tooltip: string, act: () => PromiseLike<unknown>, leaves: boolean): Button {
  return { iconPath: new vscode.ThemeIcon(icon), tooltip, act, leaves };
}
