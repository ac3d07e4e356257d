import * as vscode from 'vscode';
import { exactText, riskOfApproval } from '../../../protocol/asking.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Approval, Ask, SessionState } from '../../../protocol/session.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { t, told } from '../../../protocol/text.ts';

interface Dependencies {
  actions: SessionActions;
  chat: ChatView;
}

/** An approval as a row of the list names it. */
export interface Asked {
  sessionId: string;
  ask: Pick<Ask, 'id' | 'kind' | 'whole'>;
}

/** What a row of the list passes as argument; undefined when it is none of an approval. */
export function askOf(argument: unknown): Asked | undefined {
  if (typeof argument !== 'object' || argument === null || !('sessionId' in argument) || !('ask' in argument)) {
    return undefined;
  }
  const { sessionId, ask } = argument;
  if (typeof sessionId !== 'string' || typeof ask !== 'object' || ask === null || !('id' in ask)) {
    return undefined;
  }
  const { id } = ask;
  const kind = 'kind' in ask && (ask.kind === 'plan' || ask.kind === 'questions') ? ask.kind : 'tool';
  return typeof id === 'string'
    ? { sessionId, ask: { id, kind, ...('whole' in ask && ask.whole === true ? { whole: true } : {}) } }
    : undefined;
}

/**
 * Answers from a button of a row or a notification. What the button could not show whole is shown first, so that nothing is
 * allowed that nobody could read.
 */
export async function answerAsk(
  { actions, chat }: Dependencies,
  { sessionId, ask }: Asked,
  kind: 'allow' | 'deny',
): Promise<void> {
  if (kind === 'deny' || ask.whole === true) {
    await actions.answer(sessionId, ask.id, { kind }).catch(async (thrown: unknown) => {
      const { code } = toSandpiperError(thrown);
      // Somebody was faster: it matters who, and what they said.
      throw code === 'conflict'
        ? new SandpiperError('conflict', whoAnswered(await actions.state(sessionId), ask.id))
        : thrown;
    });
  } else {
    await answerApproval(actions, chat, sessionId, ask.id);
  }
}

/**
 * Answers an approval of a session with the keyboard alone; questions are answered in the chat.
 * @param approvalId the first that is open when absent
 */
export async function answerApproval(
  actions: SessionActions,
  chat: ChatView,
  sessionId: string,
  approvalId?: string,
): Promise<void> {
  const state = await actions.state(sessionId);
  const approval = approvalId === undefined ? state.approvals[0] : state.approvals.find(open => open.id === approvalId);
  if (!approval) {
    throw new SandpiperError('conflict', whoAnswered(state, approvalId));
  }
  if (approval.kind === 'questions') {
    await chat.reveal(sessionId);
    return;
  }
  const decision = await askDecision(chat, state, approval);
  if (decision) {
    await actions.answer(sessionId, approval.id, decision);
  }
}

function whoAnswered({ answered }: SessionState, approvalId: string | undefined): string {
  const answer = answered.find(({ id }) => id === approvalId)?.answer;
  if (!answer) {
    return t('This session waits for no answer any more.');
  }
  return 'withdrawn' in answer
    ? t('This was withdrawn: {0}', answer.withdrawn)
    : answeredText(answer.decision.kind === 'deny', answer.by === 'owner' ? t('you') : answer.by, answer.via);
}

type Row = vscode.QuickPickItem & { decide?(): Promise<ApprovalDecision | undefined> };

function answeredText(denied: boolean, by: string, via: string | undefined): string {
  switch (via) {
    case 'vscode':
      return denied
        ? t('This was denied by {0} in VS Code already.', by)
        : t('This was answered by {0} in VS Code already.', by);
    case 'cli':
      return denied
        ? t('This was denied by {0} on the command line already.', by)
        : t('This was answered by {0} on the command line already.', by);
    case 'sandpiper-browser':
      return denied
        ? t('This was denied by {0} in the browser already.', by)
        : t('This was answered by {0} in the browser already.', by);
    default:
      return denied ? t('This was denied by {0} already.', by) : t('This was answered by {0} already.', by);
  }
}

/** The first row allows nothing: somebody who presses Enter without reading has allowed nothing. */
async function askDecision(
  chat: ChatView,
  { id: sessionId, title, repository }: SessionState,
  approval: Approval,
): Promise<ApprovalDecision | undefined> {
  const note = riskOfApproval(approval);
  const look =
    approval.kind === 'plan'
      ? {
          label: `$(list-ordered) ${t('Open Plan to Read It and Comment on Its Lines')}`,
          decide: async () => {
            await vscode.commands.executeCommand('sandpiper.openPlan', sessionId);
            return undefined;
          },
        }
      : {
          label: `$(comment-discussion) ${t('Show in Chat')}`,
          decide: async () => {
            await chat.reveal(sessionId);
            return undefined;
          },
        };
  const rows: Row[] = [
    look,
    ...(approval.kind === 'tool' ? exactRows(approval) : []),
    { label: t('Answer'), kind: vscode.QuickPickItemKind.Separator },
    { label: `$(check) ${t('Allow')}`, decide: () => Promise.resolve({ kind: 'allow' }) },
    ...(approval.canAlwaysAllow
      ? [
          alwaysRow(approval, 'session', t('Always Allow in This Session')),
          ...(approval.rules
            ? [
                alwaysRow(approval, 'repository', t('Always Allow in {0}', repository.name)),
                alwaysRow(approval, 'everywhere', t('Always Allow Everywhere')),
              ]
            : []),
        ]
      : []),
    { label: `$(close) ${t('Deny')}`, decide: () => Promise.resolve({ kind: 'deny' }) },
    { label: `$(comment) ${t('Deny and Say Why…')}`, decide: askReason },
  ];
  const chosen = await vscode.window.showQuickPick(rows, {
    title: note ? t('{0}: {1} risk, {2}', title, told(note.risk), told(note.why)) : title,
    placeHolder: `${approval.name}: ${approval.title}`,
    ignoreFocusOut: true,
  });
  return chosen?.decide?.();
}

/** The rule that is kept stands in the row: it is wider than the one call. */
function alwaysRow({ rules }: Approval, scope: 'session' | 'repository' | 'everywhere', label: string): Row {
  return {
    label: `$(check-all) ${label}`,
    description: rules ? rules.join(', ').replaceAll('$(', '$\u200B(') : t('edits without asking'),
    decide: () => Promise.resolve({ kind: 'allow', always: true, scope }),
  };
}

const MAX_ROWS = 12;
const ROW_LENGTH = 110;

/** What is to be allowed, in rows that cannot be chosen. What is longer than a picker is for is read in the chat. */
function exactRows(approval: Approval): Row[] {
  const lines = exactText(approval)
    .split('\n')
    .flatMap(line => line.match(new RegExp(`.{1,${ROW_LENGTH}}`, 'gu')) ?? ['']);
  const more = lines.length - MAX_ROWS;
  return [
    { label: approval.name, kind: vscode.QuickPickItemKind.Separator },
    ...lines.slice(0, MAX_ROWS).map(label => ({ label: label.replaceAll('$(', '$\u200B('), alwaysShow: true })),
    ...(more > 0 ? [{ label: t('… and {0} more lines: show it in the chat', more), alwaysShow: true }] : []),
  ];
}

async function askReason(): Promise<ApprovalDecision | undefined> {
  const message = await vscode.window.showInputBox({
    title: t('Deny'),
    prompt: t('What should the agent do instead?'),
  });
  return message === undefined ? undefined : { kind: 'deny', ...(message.trim() === '' ? {} : { message }) };
}
