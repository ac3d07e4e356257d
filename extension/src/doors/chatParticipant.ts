import * as vscode from 'vscode';
import { summaryText } from '../../../protocol/activity.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { lastAnswer } from '../../../protocol/sessionView.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { CHAT_PARTICIPANT } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { NewSession } from '../sessions/newSession.ts';
import { readSetting } from '../settings.ts';
import { userText } from '../userText.ts';
import { whenSettled } from './whenSettled.ts';
import { t } from '../../../protocol/text.ts';

const ROWS = 10;

/**
 * `@sandpiper` in the editor's own chat: a prompt starts a session, whose course is shown until its turn is over. What the
 * agent says is foreign text: it is shown as text, never as trusted Markdown.
 */
export function registerChatParticipant(
  relay: RelayLink,
  newSession: NewSession,
  extensionUri: vscode.Uri,
): vscode.Disposable {
  const participant = vscode.chat.createChatParticipant(CHAT_PARTICIPANT, async (request, _context, stream, token) => {
    try {
      await (request.command === 'sessions'
        ? listSessions(relay, stream)
        : runSession(relay, newSession, promptOf(request), stream, token));
      return {};
    } catch (thrown) {
      return { errorDetails: { message: userText(toSandpiperError(thrown)) } };
    }
  });
  participant.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'sandpiper.svg');
  return participant;
}

async function listSessions(relay: RelayLink, stream: vscode.ChatResponseStream): Promise<void> {
  const { sessions } = await relay.call('session.list', { limit: ROWS });
  if (sessions.length === 0) {
    stream.markdown(t('There is no session yet. Write a task to start one.'));
  }
  for (const session of sessions) {
    stream.markdown(plain(`${session.title}: ${rowText(session)}\n\n`));
    stream.button(openButton(session.id));
  }
}

async function runSession(
  relay: RelayLink,
  newSession: NewSession,
  prompt: string,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<void> {
  if (prompt === '') {
    stream.markdown(t('Write what the agent is to do, such as `@sandpiper fix the failing test`.'));
    return;
  }
  const started = await newSession.start({
    prompt,
    permissionMode: readSetting('session.permissionMode'),
    includeUncommitted: readSetting('session.includeUncommittedChanges'),
  });
  if (!started) {
    stream.markdown(t('No session was started.'));
    return;
  }
  const { sessionId } = started;
  stream.button(openButton(sessionId));
  let shown = '';
  const waited = await whenSettled(relay, sessionId, token, state => {
    const text = rowText(summarize(state));
    if (text !== shown) {
      shown = text;
      stream.progress(text);
    }
  });
  if (waited.kind === 'cancelled') {
    stream.markdown(t('The session goes on. Stop it in Sandpiper if it shall not.'));
    return;
  }
  stream.markdown(plain(`${lastAnswer(waited.state) ?? ''}\n\n${rowText(summarize(waited.state))}.`));
  if (waited.state.stats.files > 0) {
    stream.button({ command: 'sandpiper.openChanges', title: t('Open Changes'), arguments: [sessionId] });
  }
}

function openButton(sessionId: string): vscode.Command {
  return { command: 'sandpiper.openSession', title: t('Open Session'), arguments: [sessionId] };
}

function rowText(session: SessionSummary): string {
  const { files } = session.stats;
  const changed = files === 0 ? [] : [files === 1 ? t('{0} file changed', files) : t('{0} files changed', files)];
  return [summaryText(session, Date.now()), ...changed].join(', ');
}

/** What was attached in the editor's chat goes along as places; the agent has its own copy of the files. */
function promptOf({ prompt, references }: vscode.ChatRequest): string {
  const places = references.flatMap(({ value }) => placeOf(value) ?? []);
  return places.length === 0 || prompt.trim() === '' ? prompt.trim() : `${prompt.trim()}\n\nSee ${places.join(', ')}`;
}

function placeOf(value: unknown): string | undefined {
  if (value instanceof vscode.Uri) {
    return vscode.workspace.asRelativePath(value, false);
  }
  if (!(value instanceof vscode.Location)) {
    return undefined;
  }
  const { start, end } = value.range;
  return `${vscode.workspace.asRelativePath(value.uri, false)}:${start.line + 1}-${end.line + 1}`;
}

function plain(text: string): vscode.MarkdownString {
  return new vscode.MarkdownString().appendText(text);
}
