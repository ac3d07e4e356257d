import * as vscode from 'vscode';
import { linesOf, moveAnchor } from '../../../protocol/anchor.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { FileHovers } from '../blame/fileHovers.ts';
import { readPlace } from '../blame/originText.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { CommandHandler } from '../commands/registerCommands.ts';
import type { PickSession } from '../commands/pickSession.ts';
import type { COMMENT_COMMANDS } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { openQuestions } from '../sessions/sessionGroups.ts';
import { type Comment, submittedText } from '../../../protocol/commentText.ts';
import { type CommentThreads, sessionCommentedIn, sideOf, ThreadComment } from './commentThreads.ts';
import { type PlanDocuments, planOf } from './planDocuments.ts';
import { draftsOnPlan, keepPlanningMessage } from './planText.ts';
import type { SessionComments } from './sessionComments.ts';
import { count, t } from '../../../protocol/text.ts';

export interface CommentDependencies {
  relay: RelayLink;
  actions: SessionActions;
  plans: PlanDocuments;
  fileHovers: FileHovers;
  comments: SessionComments;
  threads: CommentThreads;
  chat: ChatView;
  pick: PickSession;
}

const MAX_QUOTE = 4000;
const NO_DOCUMENT = vscode.Uri.from({ scheme: 'none', path: '/' });

type CommentCommands = Record<(typeof COMMENT_COMMANDS)[number], CommandHandler>;

/** What can be done with comments, from a lens, a thread, the palette or a key. */
export function createCommentCommands(deps: CommentDependencies): CommentCommands {
  return {
    'sandpiper.askAgent': (uri, range) => askAgent(deps, uri, range),
    'sandpiper.saveComment': async argument => {
      const { thread, text } = replyOf(argument);
      await saveNew(deps, thread, text);
    },
    'sandpiper.editComment': async argument => {
      const { thread, comment } = threadOf(deps, commentOf(argument));
      comment.mode = vscode.CommentMode.Editing;
      // The text as it was written, not what escapes it.
      comment.body = textIn(deps, comment);
      thread.comments = [...thread.comments];
    },
    'sandpiper.saveCommentEdit': async argument => {
      const { thread, comment } = threadOf(deps, commentOf(argument));
      const text = textOf(comment.body);
      if (comment.id === undefined) {
        thread.comments = thread.comments.filter(other => other !== comment);
        await saveNew(deps, thread, text);
        return;
      }
      await deps.relay.call('review.editComment', { sessionId: comment.sessionId, commentId: comment.id, text });
      await stopEditing(deps, thread, comment);
    },
    'sandpiper.cancelCommentEdit': async argument => {
      const { thread, comment } = threadOf(deps, commentOf(argument));
      if (comment.id === undefined) {
        thread.comments = thread.comments.filter(other => other !== comment);
        deps.threads.end(thread);
        return;
      }
      comment.body = new vscode.MarkdownString().appendText(textIn(deps, comment));
      await stopEditing(deps, thread, comment);
    },
    'sandpiper.deleteComment': async argument => {
      const { sessionId, id } = commentOf(argument);
      if (id !== undefined) {
        await deps.relay.call('review.deleteComment', { sessionId, commentId: id });
        await deps.comments.refresh(sessionId);
      }
    },
    'sandpiper.resolveComment': argument => resolve(deps, argument, true),
    'sandpiper.reopenComment': argument => resolve(deps, argument, false),
    'sandpiper.submitReview': argument => submit(deps, argument),
    'sandpiper.openPlan': argument => openPlan(deps, argument),
    'sandpiper.showLineOrigin': async () => {
      const editor = vscode.window.activeTextEditor;
      if (editor?.document.uri.scheme === 'file') {
        await deps.fileHovers.show(editor);
        return;
      }
      await vscode.commands.executeCommand('editor.action.showHover', { focus: 'focusIfVisible' });
    },
    'sandpiper.showInChat': async argument => {
      const place = readPlace(argument);
      await (place && deps.chat.showItem(place.sessionId, place.itemId));
    },
  };
}

/** Opens a thread; from the keyboard on the selected lines of the active editor. */
async function askAgent({ threads }: CommentDependencies, uri: unknown, range: unknown): Promise<void> {
  const active = vscode.window.activeTextEditor;
  const document = uri instanceof vscode.Uri ? uri : active?.document.uri;
  const lines = range instanceof vscode.Range ? range : active?.selection;
  if (!document || !lines || sessionCommentedIn(document) === undefined) {
    throw new SandpiperError('not_found', t('There is nothing here to comment on.'), {
      hint: t('Open the changes or the plan of a session and put the cursor on a line.'),
    });
  }
  if (active && active.document.uri.toString() === document.toString()) {
    // The editor's own way: it puts the cursor into the new thread.
    active.selection = new vscode.Selection(lines.start, lines.end);
    await vscode.commands.executeCommand('workbench.action.addComment');
    return;
  }
  threads.begin(document, lines);
}

/** What could not be saved stays in the thread, to be saved again. */
async function saveNew(deps: CommentDependencies, thread: vscode.CommentThread, text: string): Promise<void> {
  const sessionId = sessionCommentedIn(thread.uri);
  if (sessionId === undefined || text.trim() === '') {
    return;
  }
  try {
    const target = await targetOf(deps.relay, thread);
    await deps.relay.call('review.comment', { sessionId, target, text });
  } catch (error) {
    const unsaved = new ThreadComment(sessionId, undefined, {
      body: text,
      author: { name: t('You') },
      label: t('Not saved'),
      contextValue: 'unsaved',
    });
    unsaved.mode = vscode.CommentMode.Editing;
    thread.comments = [...thread.comments, unsaved];
    deps.threads.keepUnsaved(thread);
    throw error;
  }
  deps.threads.end(thread);
  await deps.comments.refresh(sessionId);
}

/** The lines of a thread in the file as the relay has it. @throws `stale` when they are not there */
async function targetOf(relay: RelayLink, { uri, range }: vscode.CommentThread) {
  const plan = planOf(uri);
  if (plan) {
    return planTarget(plan.approvalId, uri, range);
  }
  const side = sideOf(uri);
  const document = vscode.workspace.textDocuments.find(one => one.uri.toString() === uri.toString());
  const file = side && (await relay.call('changes.file', side));
  const notThere = new SandpiperError('stale', t('These lines are not in the file that the relay has.'), {
    hint: t('Save the file, then comment again.'),
  });
  if (!side || !range || !file?.blob) {
    throw notThere;
  }
  const seen = { start: range.start.line, count: Math.max(1, range.end.line - range.start.line + 1) };
  const isWhole = document === undefined || file.tooLarge || file.encoding !== 'utf8';
  const lines = isWhole ? seen : moveAnchor(linesOf(document.getText()), linesOf(file.content), seen)?.lines;
  if (!lines) {
    throw notThere;
  }
  return { kind: 'lines', side: side.side, path: side.path, object: file.blob, lines } as const;
}

function planTarget(approvalId: string, uri: vscode.Uri, range: vscode.Range | undefined) {
  const document = vscode.workspace.textDocuments.find(one => one.uri.toString() === uri.toString());
  const start = range?.start.line ?? 0;
  const count = Math.max(1, (range?.end.line ?? 0) - start + 1);
  const quote = document?.getText(new vscode.Range(start, 0, start + count, 0)).trimEnd() ?? '';
  return { kind: 'plan', approvalId, lines: { start, count }, quote: quote.slice(0, MAX_QUOTE) } as const;
}

async function resolve(deps: CommentDependencies, argument: unknown, resolved: boolean): Promise<void> {
  const thread = isThread(argument) ? argument : undefined;
  const comments = (thread?.comments ?? []).filter(one => one instanceof ThreadComment);
  for (const { sessionId, id, contextValue } of comments) {
    if (id !== undefined && contextValue === 'submitted') {
      await deps.relay.call('review.resolveComment', { sessionId, commentId: id, resolved });
    }
  }
  const [first] = comments;
  await (first && deps.comments.refresh(first.sessionId));
}

async function submit(deps: CommentDependencies, argument: unknown): Promise<void> {
  const sessionId = await deps.pick.pick(sessionNamed(argument), {
    placeHolder: t('Session whose review to submit'),
    fits: summary => !summary.archived && summary.stats.files > 0,
    none: t('No session has changes to review.'),
  });
  if (sessionId === undefined) {
    return;
  }
  const { comments } = await deps.relay.call('review.comments', { sessionId });
  if (await keepPlanning(deps, sessionId, comments)) {
    return;
  }
  const drafts = comments.filter(({ state }) => state === 'draft').length;
  const text = await vscode.window.showInputBox({
    title: t('Submit Review'),
    prompt: t(
      'The agent gets {0} and everything that you rejected or edited. Enter submits, Escape does not.',
      drafts === 0 ? t('no comments') : count(drafts, 'comment'),
    ),
    placeHolder: t('Anything else to say? (optional)'),
    ignoreFocusOut: true,
    validateInput: value => (value.length > 4000 ? t('At most 4000 characters.') : undefined),
  });
  if (text === undefined) {
    return;
  }
  const submitted = await deps.relay.call('review.submit', { sessionId, text });
  await deps.comments.refresh(sessionId);
  vscode.window.setStatusBarMessage(t('Sandpiper: {0}', submittedText(submitted)), 8000);
}

/** What a thread, a document with a plan or a row of a list names. */
function sessionNamed(argument: unknown): unknown {
  const uri = isThread(argument) ? argument.uri : argument;
  const plan = planOf(uri instanceof vscode.Uri ? uri : (vscode.window.activeTextEditor?.document.uri ?? NO_DOCUMENT));
  return plan?.sessionId ?? (isThread(argument) ? sideOf(argument.uri)?.sessionId : argument);
}

/**
 * Comments on a plan that the agent waits with are the answer to it. Only these are sent: a message would come after the
 * plan is answered.
 * @returns whether the session waits with such a plan
 */
async function keepPlanning(
  { relay, actions, comments: shown }: CommentDependencies,
  sessionId: string,
  comments: readonly Comment[],
): Promise<boolean> {
  const { approvals } = await relay.call('session.get', { sessionId });
  const asked = approvals.find(({ id, kind }) => kind === 'plan' && draftsOnPlan(comments, id).length > 0);
  if (!asked) {
    return false;
  }
  const drafts = draftsOnPlan(comments, asked.id);
  const text = await vscode.window.showInputBox({
    title: t('Submit Review of the Plan'),
    prompt: t(
      'The agent gets {0} and goes on planning. Enter submits, Escape does not.',
      count(drafts.length, 'comment'),
    ),
    placeHolder: t('Anything else to say? (optional)'),
    ignoreFocusOut: true,
    validateInput: value => (value.length > 4000 ? t('At most 4000 characters.') : undefined),
  });
  if (text === undefined) {
    return true;
  }
  await actions.answer(sessionId, asked.id, { kind: 'deny', message: keepPlanningMessage(drafts, text) });
  // The agent has them now; as drafts they would be told again with the next review.
  for (const { id } of drafts) {
    await relay.call('review.deleteComment', { sessionId, commentId: id });
  }
  await shown.refresh(sessionId);
  vscode.window.setStatusBarMessage(t('Sandpiper: the agent goes on planning with your comments'), 8000);
  return true;
}

async function openPlan({ pick, plans }: CommentDependencies, argument: unknown): Promise<void> {
  const sessionId = await pick.pick(argument, {
    placeHolder: t('Session whose plan to open'),
    fits: summary => openQuestions(summary) > 0,
    none: t('No session asks about a plan.'),
  });
  await (sessionId === undefined ? undefined : plans.open(sessionId));
}

async function stopEditing(
  { comments }: CommentDependencies,
  thread: vscode.CommentThread,
  comment: ThreadComment,
): Promise<void> {
  comment.mode = vscode.CommentMode.Preview;
  thread.comments = [...thread.comments];
  await comments.refresh(comment.sessionId);
}

function textIn({ comments }: CommentDependencies, { sessionId, id, body }: ThreadComment): string {
  return comments.of(sessionId)?.find(one => one.id === id)?.text ?? textOf(body);
}

function textOf(body: string | vscode.MarkdownString): string {
  return typeof body === 'string' ? body : body.value;
}

function commentOf(argument: unknown): ThreadComment {
  if (argument instanceof ThreadComment) {
    return argument;
  }
  throw nothingNamed();
}

function threadOf({ threads }: CommentDependencies, comment: ThreadComment) {
  const thread = threads.withComment(comment);
  if (!thread) {
    throw nothingNamed();
  }
  return { thread, comment };
}

function replyOf(argument: unknown): { thread: vscode.CommentThread; text: string } {
  if (typeof argument === 'object' && argument !== null && 'thread' in argument && 'text' in argument) {
    const { thread, text } = argument;
    if (isThread(thread) && typeof text === 'string') {
      return { thread, text };
    }
  }
  throw nothingNamed();
}

function isThread(value: unknown): value is vscode.CommentThread {
  return (
    typeof value === 'object' &&
    value !== null &&
    'comments' in value &&
    'uri' in value &&
    value.uri instanceof vscode.Uri
  );
}

function nothingNamed(): SandpiperError {
  return new SandpiperError('not_found', t('This acts on a comment.'), { hint: t('Use the buttons of the comment.') });
}
