import * as vscode from 'vscode';
import { linesOf, moveAnchor } from '../../../protocol/anchor.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { readPlace } from '../blame/originText.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { CommandHandler } from '../commands/registerCommands.ts';
import type { PickSession } from '../commands/pickSession.ts';
import type { COMMENT_COMMANDS } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { submittedText } from './commentText.ts';
import { type CommentThreads, sideOf, ThreadComment } from './commentThreads.ts';
import type { SessionComments } from './sessionComments.ts';

export interface CommentDependencies {
  relay: RelayLink;
  comments: SessionComments;
  threads: CommentThreads;
  chat: ChatView;
  pick: PickSession;
}

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
    'sandpiper.showLineOrigin': async () => {
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
  if (!document || !lines || !sideOf(document)) {
    throw new SandpiperError('not_found', 'There is nothing here to comment on.', {
      hint: 'Open the changes of a session and put the cursor on a line.',
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
  const side = sideOf(thread.uri);
  if (!side || text.trim() === '') {
    return;
  }
  const { sessionId } = side;
  try {
    const target = await targetOf(deps.relay, thread);
    await deps.relay.call('review.comment', { sessionId, target, text });
  } catch (error) {
    const unsaved = new ThreadComment(sessionId, undefined, {
      body: text,
      author: { name: 'You' },
      label: 'Not saved',
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
  const side = sideOf(uri);
  const document = vscode.workspace.textDocuments.find(one => one.uri.toString() === uri.toString());
  const file = side && (await relay.call('changes.file', side));
  const notThere = new SandpiperError('stale', 'These lines are not in the file that the relay has.', {
    hint: 'Save the file, then comment again.',
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
  const named = isThread(argument) ? sideOf(argument.uri)?.sessionId : argument;
  const sessionId = await deps.pick.pick(named, {
    placeHolder: 'Session whose review to submit',
    fits: summary => !summary.archived && summary.stats.files > 0,
    none: 'No session has changes to review.',
  });
  if (sessionId === undefined) {
    return;
  }
  const { comments } = await deps.relay.call('review.comments', { sessionId });
  const drafts = comments.filter(({ state }) => state === 'draft').length;
  const text = await vscode.window.showInputBox({
    title: 'Submit Review',
    prompt: `The agent gets ${drafts === 0 ? 'no comments' : drafts === 1 ? '1 comment' : `${drafts} comments`} and everything that you rejected or edited. Enter submits, Escape does not.`,
    placeHolder: 'Anything else to say? (optional)',
    ignoreFocusOut: true,
    validateInput: value => (value.length > 4000 ? 'At most 4000 characters.' : undefined),
  });
  if (text === undefined) {
    return;
  }
  const submitted = await deps.relay.call('review.submit', { sessionId, text });
  await deps.comments.refresh(sessionId);
  vscode.window.setStatusBarMessage(`Sandpiper: ${submittedText(submitted)}`, 8000);
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
  return new SandpiperError('not_found', 'This acts on a comment.', { hint: 'Use the buttons of the comment.' });
}
