import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { callKey, over, type Progress } from './begin.ts';
import { sessionState, type HookContext } from './context.ts';
import { mayBeShown } from './patch.ts';
import { report } from './reporting.ts';
import type { RequestData } from './requestData.ts';
import { workingText } from './sayings.ts';
import { outcomeOf } from './turnView.ts';

/* What follows when the agent has a request: wait for its turn, push what it changed, tell what came of it. */

interface Row {
  key: string;
  sessionId: string | undefined;
}

/** Waits for the turn. */
export async function watchTurn(context: HookContext, { key, sessionId }: Row, data: RequestData): Promise<Progress> {
  if (sessionId === undefined || data.messageId === undefined) {
    throw new SandpiperError('internal', `The request ${key} has no session.`);
  }
  const { ask } = data;
  if (ask.kind === 'issue' && data.announced !== true) {
    const body = workingText(sessionId);
    await context.colleague.say(await context.place(data.repository), {
      number: ask.number,
      isPull: false,
      marker: context.marker(key),
      body,
    });
    return { kind: 'on', data: { ...data, announced: true } };
  }
  const state = await sessionState(context, sessionId);
  const outcome = state
    ? outcomeOf(state, data.messageId)
    : { kind: 'person' as const, text: '', changed: false, reason: 'The session was deleted.' };
  return outcome ? { kind: 'on', data: { ...data, stage: 'finished', outcome } } : { kind: 'wait' };
}

/** Pushes, then tells. */
export async function finish(context: HookContext, row: Row, data: RequestData): Promise<Progress> {
  const { sessionId } = row;
  if (sessionId === undefined) {
    throw new SandpiperError('internal', `The request ${row.key} has no session.`);
  }
  const state = await sessionState(context, sessionId);
  if ((!state || state.archived) && data.ask.kind !== 'issue') {
    return over(data, 'The session was archived.');
  }
  if (state && !data.landed && data.outcome?.kind === 'completed' && data.outcome.changed) {
    return { kind: 'on', data: await land(context, row.key, sessionId, data) };
  }
  await report(context, await context.place(data.repository), { key: row.key, sessionId }, data);
  return over(data, data.outcome?.reason ?? '');
}

/** The same with the pull request, or with the reason why a person is needed first. */
async function land(context: HookContext, key: string, sessionId: string, data: RequestData): Promise<RequestData> {
  const blocked = await sensitiveFiles(context, sessionId);
  if (blocked !== undefined) {
    return needsPerson(data, blocked);
  }
  const { ask } = data;
  try {
    const { pullRequest, created } = await context.call('pullRequest.open', {
      sessionId,
      key: callKey(key, 'land'),
      from: 'all',
      draft: true,
      ...(ask.kind === 'issue' ? { issue: ask.number } : {}),
    });
    const { number, url, headCommit } = pullRequest;
    return { ...data, landed: { number, url, commit: headCommit, created } };
  } catch (error) {
    const refusal = toSandpiperError(error);
    const { code, message, hint, retryable } = refusal;
    if (retryable || code === 'internal') {
      throw error;
    }
    if (code === 'nothing_to_land' && data.outcome) {
      // The agent took back all that it had changed.
      return { ...data, outcome: { ...data.outcome, changed: false } };
    }
    const asPatch = await mayBeShown(context, sessionId, refusal);
    return {
      ...needsPerson(data, hint === undefined ? message : `${message} ${hint}`),
      ...(asPatch ? { asPatch } : {}),
    };
  }
}

function needsPerson(data: RequestData, reason: string): RequestData {
  const { text = '', changed = true } = data.outcome ?? {};
  return { ...data, outcome: { kind: 'person', text, changed, reason } };
}

/** Files that run code on a developer's machine are pushed only when a person has accepted them. */
async function sensitiveFiles(context: HookContext, sessionId: string): Promise<string | undefined> {
  const { files } = await context.call('changes.list', { sessionId, from: 'accepted', to: 'proposed' });
  const found = files.filter(({ sensitive }) => sensitive !== undefined);
  if (found.length === 0) {
    return undefined;
  }
  const named = found.slice(0, 5).map(({ path, sensitive }) => `${path} (${sensitive ?? ''})`);
  const more = found.length > named.length ? ` and ${found.length - named.length} more` : '';
  return `The work changes files that can run code on a developer's machine, so that a person must accept them first: ${named.join(', ')}${more}.`;
}
