import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { idPattern } from '../../../protocol/ids.ts';
import { rowView, sessionView } from '../../../protocol/sessionView.ts';
import { LANGUAGE_MODEL_TOOLS } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { NewSession } from '../sessions/newSession.ts';
import { readSetting } from '../settings.ts';
import { userText } from '../userText.ts';
import { whenSettled } from './whenSettled.ts';
import { t } from '../../../protocol/text.ts';

const SESSION = idPattern('ses');
const MAX_WAIT_SECONDS = 300;
const ROWS = 20;

/** Lets the editor's own agents hand work over and look at it. They decide nothing in place of the person. */
export function registerLanguageModelTools(relay: RelayLink, newSession: NewSession): vscode.Disposable {
  const [start, look] = LANGUAGE_MODEL_TOOLS;
  return vscode.Disposable.from(
    vscode.lm.registerTool(start, {
      prepareInvocation: ({ input }) => ({
        invocationMessage: t('Starting a Sandpiper session'),
        confirmationMessages: {
          title: t('Start a Sandpiper session?'),
          message: new vscode.MarkdownString().appendText(textOf(input, 'prompt').slice(0, 500)),
        },
      }),
      invoke: ({ input }) => answer(() => startSession(newSession, textOf(input, 'prompt'))),
    }),
    vscode.lm.registerTool(look, {
      prepareInvocation: () => ({ invocationMessage: t('Looking at Sandpiper sessions') }),
      invoke: ({ input }, token) => answer(() => lookAt(relay, input, token)),
    }),
  );
}

async function startSession(newSession: NewSession, prompt: string): Promise<unknown> {
  if (prompt.trim() === '') {
    throw new SandpiperError('invalid_params', 'The task is empty.', { hint: 'Pass the whole task as `prompt`.' });
  }
  const started = await newSession.start({
    prompt,
    permissionMode: readSetting('session.permissionMode'),
    includeUncommitted: readSetting('session.includeUncommittedChanges'),
  });
  return started ?? { declined: 'The person does not want the agent to run without isolation.' };
}

async function lookAt(relay: RelayLink, input: unknown, token: vscode.CancellationToken): Promise<unknown> {
  const sessionId = textOf(input, 'sessionId');
  if (sessionId === '') {
    const { sessions } = await relay.call('session.list', { limit: ROWS });
    return { sessions: sessions.map(rowView) };
  }
  if (!SESSION.test(sessionId)) {
    throw new SandpiperError('invalid_params', `"${sessionId.slice(0, 60)}" is no id of a session.`, {
      hint: 'Leave `sessionId` out to list the sessions.',
    });
  }
  const waitMs = Math.min(numberOf(input, 'waitSeconds'), MAX_WAIT_SECONDS) * 1000;
  if (waitMs > 0) {
    const limit = new vscode.CancellationTokenSource();
    const timer = setTimeout(() => limit.cancel(), waitMs);
    const stopping = token.onCancellationRequested(() => limit.cancel());
    try {
      await whenSettled(relay, sessionId, limit.token);
    } finally {
      clearTimeout(timer);
      stopping.dispose();
      limit.dispose();
    }
  }
  return sessionView(await relay.call('session.get', { sessionId }));
}

/** A refusal goes to the model with what it can do. */
async function answer(work: () => Promise<unknown>): Promise<vscode.LanguageModelToolResult> {
  const text = await work().then(
    result => JSON.stringify(result),
    (thrown: unknown) => userText(toSandpiperError(thrown)),
  );
  return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
}

function textOf(input: unknown, name: string): string {
  const value = fieldOf(input, name);
  return typeof value === 'string' ? value : '';
}

function numberOf(input: unknown, name: string): number {
  const value = fieldOf(input, name);
  return typeof value === 'number' && value > 0 ? value : 0;
}

function fieldOf(input: unknown, name: string): unknown {
  return typeof input === 'object' && input !== null ? Reflect.get(input, name) : undefined;
}
