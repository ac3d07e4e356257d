import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { SCHEME } from '../manifest.ts';
import { fromUriParts } from '../review/sessionUri.ts';
import {
  answerOf,
  commentLabel,
  planThreadsOf,
  threadLabel,
  threadsOf,
  type Comment,
  type ThreadShape,
} from '../../../protocol/commentText.ts';
import { planOf } from './planDocuments.ts';
import type { SessionComments } from './sessionComments.ts';
import { t } from '../../../protocol/text.ts';

/** Without a dot: `when` clauses of package.json name it beside context keys. */
const CONTROLLER = 'sandpiperReview';

/** One of ours in a thread; the editor hands it back to commands. */
export class ThreadComment implements vscode.Comment {
  readonly id: string | undefined;
  readonly sessionId: string;
  body: string | vscode.MarkdownString;
  mode = vscode.CommentMode.Preview;
  author: vscode.CommentAuthorInformation;
  label?: string;
  timestamp?: Date;
  /** `draft` can be edited and deleted, `unsaved` is only in this window. */
  contextValue: 'draft' | 'submitted' | 'answer' | 'unsaved';

  constructor(
    sessionId: string,
    id: string | undefined,
    parts: Pick<ThreadComment, 'body' | 'author' | 'contextValue'> & { label?: string; at?: number },
  ) {
    this.sessionId = sessionId;
    this.id = id;
    this.body = parts.body;
    this.author = parts.author;
    this.contextValue = parts.contextValue;
    if (parts.label !== undefined && parts.label !== '') {
      this.label = parts.label;
    }
    if (parts.at !== undefined) {
      this.timestamp = new Date(parts.at);
    }
  }
}

/** Shows the comments of a session as threads in every document of its review that is open. */
export class CommentThreads implements vscode.Disposable {
  readonly #comments: SessionComments;
  readonly #disposables = new DisposableStore();
  readonly #controller: vscode.CommentController;
  /** By document, then by the lines that they are on. */
  readonly #threads = new Map<string, Map<string, { thread: vscode.CommentThread; shown: string }>>();
  readonly #unsaved = new Set<vscode.CommentThread>();

  constructor(comments: SessionComments) {
    this.#comments = comments;
    this.#controller = this.#disposables.add(
      vscode.comments.createCommentController(CONTROLLER, t('Sandpiper Review')),
    );
    this.#controller.options = {
      prompt: t('Tell the agent about these lines'),
      placeHolder: t('A draft until you submit the review'),
    };
    this.#controller.commentingRangeProvider = {
      provideCommentingRanges: document =>
        // A file that is not there has no line to speak of.
        sessionCommentedIn(document.uri) !== undefined && document.getText() !== ''
          ? [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)]
          : undefined,
    };
    this.#disposables.add(vscode.workspace.onDidOpenTextDocument(document => this.#show(document.uri)));
    this.#disposables.add(vscode.workspace.onDidCloseTextDocument(document => this.#drop(document.uri)));
    this.#disposables.add(
      comments.onDidChange(sessionId => {
        for (const { uri } of vscode.workspace.textDocuments) {
          if (sessionCommentedIn(uri) === sessionId) {
            this.#show(uri);
          }
        }
      }),
    );
    vscode.workspace.textDocuments.forEach(document => this.#show(document.uri));
  }

  /** A thread that waits for its first comment; what is typed into it is in the relay once it is saved. */
  begin(uri: vscode.Uri, range: vscode.Range): vscode.CommentThread {
    const thread = this.#controller.createCommentThread(uri, range, []);
    thread.label = t('Comment to the agent');
    thread.canReply = true;
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return thread;
  }

  /** Whether a thread shows what the relay has; otherwise it is one that the person just began. */
  isShown(thread: vscode.CommentThread): boolean {
    return [...(this.#threads.get(thread.uri.toString())?.values() ?? [])].some(shown => shown.thread === thread);
  }

  withComment(comment: ThreadComment): vscode.CommentThread | undefined {
    const shown = [...this.#threads.values()].flatMap(threads => [...threads.values()].map(({ thread }) => thread));
    return [...shown, ...this.#unsaved].find(thread => thread.comments.includes(comment));
  }

  /** Keeps a thread at hand whose first comment could not be saved. */
  keepUnsaved(thread: vscode.CommentThread): void {
    this.#unsaved.add(thread);
  }

  /** Takes a thread away that the person began. */
  end(thread: vscode.CommentThread): void {
    this.#unsaved.delete(thread);
    if (!this.isShown(thread)) {
      thread.dispose();
    }
  }

  dispose(): void {
    this.#unsaved.forEach(thread => thread.dispose());
    for (const threads of this.#threads.values()) {
      threads.forEach(({ thread }) => thread.dispose());
    }
    this.#disposables.dispose();
  }

  #show(uri: vscode.Uri): void {
    const sessionId = sessionCommentedIn(uri);
    const comments = sessionId === undefined ? undefined : this.#comments.of(sessionId);
    if (sessionId === undefined || !comments) {
      return;
    }
    const shapes = new Map(shapesIn(uri, comments).map(shape => [shape.key, shape]));
    const known =
      this.#threads.get(uri.toString()) ?? new Map<string, { thread: vscode.CommentThread; shown: string }>();
    for (const [key, { thread }] of known) {
      if (!shapes.has(key) && !isEdited(thread)) {
        thread.dispose();
        known.delete(key);
      }
    }
    for (const [key, shape] of shapes) {
      const shown = JSON.stringify(shape);
      const before = known.get(key);
      if (before?.shown === shown || (before && isEdited(before.thread))) {
        continue;
      }
      const written = shape.comments.flatMap(comment => toComments(sessionId, comment));
      // With its comments at once: one that begins without any opens with the cursor in its field.
      const thread = before?.thread ?? this.#controller.createCommentThread(uri, rangeOf(shape), written);
      fill(thread, shape, written, !before);
      known.set(key, { thread, shown });
    }
    this.#threads.set(uri.toString(), known);
  }

  #drop(uri: vscode.Uri): void {
    const threads = this.#threads.get(uri.toString());
    this.#threads.delete(uri.toString());
    threads?.forEach(({ thread }) => thread.dispose());
  }
}

function fill(thread: vscode.CommentThread, shape: ThreadShape, written: ThreadComment[], isNew: boolean): void {
  thread.range = rangeOf(shape);
  thread.label = threadLabel(shape);
  thread.canReply = true;
  thread.comments = written;
  thread.state = shape.resolved ? vscode.CommentThreadState.Resolved : vscode.CommentThreadState.Unresolved;
  thread.contextValue = [
    ...(shape.comments.some(({ state }) => state === 'draft') ? ['draft'] : []),
    ...(shape.comments.some(({ state }) => state !== 'draft') ? [shape.resolved ? 'resolved' : 'open'] : []),
  ].join(' ');
  if (isNew || shape.resolved) {
    thread.collapsibleState = shape.resolved
      ? vscode.CommentThreadCollapsibleState.Collapsed
      : vscode.CommentThreadCollapsibleState.Expanded;
  }
}

function toComments(sessionId: string, comment: Comment): ThreadComment[] {
  const { id, at, text, state } = comment;
  const mine = new ThreadComment(sessionId, id, {
    body: plain(text),
    author: { name: t('You') },
    label: commentLabel(comment),
    contextValue: state === 'draft' ? 'draft' : 'submitted',
    at,
  });
  const answer = answerOf(comment);
  if (!answer) {
    return [mine];
  }
  const said = new ThreadComment(sessionId, undefined, {
    body: plain(answer.text === '' ? answer.title : answer.text),
    author: { name: t('Agent') },
    label: answer.title,
    contextValue: 'answer',
  });
  return [mine, said];
}

/** Not Markdown: the text of an agent is hostile, and a person's is shown as it was written. */
function plain(text: string): vscode.MarkdownString {
  return new vscode.MarkdownString().appendText(text);
}

function rangeOf({ lines }: ThreadShape): vscode.Range {
  return new vscode.Range(lines.start, 0, lines.start + lines.count - 1, 0);
}

/** What is being typed must not be taken away. */
function isEdited({ comments }: vscode.CommentThread): boolean {
  return comments.some(({ mode }) => mode === vscode.CommentMode.Editing);
}

/** The session that comments in a document are about; undefined when it cannot be commented. */
export function sessionCommentedIn(uri: vscode.Uri): string | undefined {
  return (sideOf(uri) ?? planOf(uri))?.sessionId;
}

function shapesIn(uri: vscode.Uri, comments: readonly Comment[]): ThreadShape[] {
  const side = sideOf(uri);
  const plan = planOf(uri);
  if (side) {
    return threadsOf(comments, side.side, side.path);
  }
  return plan ? planThreadsOf(comments, plan.approvalId) : [];
}

/** The session, side and path of a document that can be commented. */
export function sideOf(
  uri: vscode.Uri,
): { sessionId: string; side: 'accepted' | 'proposed'; path: string } | undefined {
  const file = uri.scheme === SCHEME ? fromUriParts(uri) : undefined;
  return file && (file.side === 'accepted' || file.side === 'proposed')
    ? { sessionId: file.sessionId, side: file.side, path: file.path }
    : undefined;
}
