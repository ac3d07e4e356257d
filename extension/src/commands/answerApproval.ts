import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Approval } from '../../../protocol/session.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';

/** Answers the first open approval of a session with the keyboard alone; questions are answered in the chat. */
export async function answerApproval(actions: SessionActions, chat: ChatView, sessionId: string): Promise<void> {
  const { approvals, title } = await actions.state(sessionId);
  const approval = approvals[0];
  if (!approval) {
    throw new SandpiperError('conflict', 'This session waits for no answer any more.');
  }
  if (approval.kind === 'questions') {
    await chat.reveal(sessionId);
    return;
  }
  const decision = await askDecision(title, approval);
  if (decision) {
    await actions.answer(sessionId, approval.id, decision);
  }
}

async function askDecision(title: string, approval: Approval): Promise<ApprovalDecision | undefined> {
  const rows: (vscode.QuickPickItem & { decide(): Promise<ApprovalDecision | undefined> })[] = [
    { label: '$(check) Allow', description: approval.title, decide: () => Promise.resolve({ kind: 'allow' }) },
    ...(approval.canAlwaysAllow
      ? [
          {
            label: '$(check-all) Always Allow in This Session',
            decide: () => Promise.resolve({ kind: 'allow' as const, always: true }),
          },
        ]
      : []),
    { label: '$(close) Deny', decide: () => Promise.resolve({ kind: 'deny' }) },
    { label: '$(comment) Deny and Say Why…', decide: askReason },
  ];
  const chosen = await vscode.window.showQuickPick(rows, {
    title,
    placeHolder: `${approval.name}: ${approval.title}`,
    ignoreFocusOut: true,
  });
  return chosen?.decide();
}

async function askReason(): Promise<ApprovalDecision | undefined> {
  const message = await vscode.window.showInputBox({ title: 'Deny', prompt: 'What should the agent do instead?' });
  return message === undefined ? undefined : { kind: 'deny', ...(message.trim() === '' ? {} : { message }) };
}
