import type { RelayClient } from '../client/relayClient.ts';
import { restoreToUndo } from '../protocol/checkpoints.ts';
import type { SessionState } from '../protocol/session.ts';
import type { Deed } from './deeds.ts';
import type { SessionPlan } from './plan.ts';
import type { DeedCall } from './typedCall.ts';
import { EFFECTS_FILES, textOf } from './work.ts';

/**
 * What a deed is at this moment: the person looks at the session and decides. Undefined when there is nothing to do it on.
 * What they saw may be old by the time that the call arrives, as it is with people.
 * @param branch the plan of the session that a branch would be
 */
export async function composeDeed(
  client: RelayClient,
  state: SessionState,
  deed: Deed,
  branch: SessionPlan,
): Promise<DeedCall | undefined> {
  const { id: sessionId } = state;
  const named = { sessionId, deed: deed.number };
  switch (deed.kind) {
    case 'accept':
    case 'reject':
      return composeDecision(client, named, deed);
    case 'edit':
      return composeEdit(client, named, deed);
    case 'comment':
      return composeComment(client, named, deed);
    case 'branch':
      return composeBranch(state, named, deed, branch);
    case 'editComment':
    case 'deleteComment':
      return composeDraft(state, named, deed);
    case 'restore': {
      const turns = [0, ...state.turns.filter(({ checkpoint }) => checkpoint).map(({ number }) => number)];
      const { code, conversation } = deed;
      const turn = pickOf(turns, deed.pick) ?? 0;
      return { call: 'checkpoint.restore', ...named, params: { turn, code, conversation, stop: true } };
    }
    default:
      return composeSimple(state, named, deed);
  }
}

interface Named {
  sessionId: string;
  deed: number;
}

function composeSimple(state: SessionState, named: Named, { kind, pick }: Deed): DeedCall | undefined {
  const { accepted, proposed, review } = state;
  if (kind === 'acceptAll' && accepted !== proposed) {
    return { call: 'changes.acceptAll', ...named, params: { expectedProposed: proposed, confirmed: [] } };
  }
  if (kind === 'resolve') {
    const conflict = pickOf(review.conflicts, pick);
    const take = spread(pick) < 0.5 ? 'ours' : 'theirs';
    return conflict && { call: 'review.resolve', ...named, params: { path: conflict.path, take } };
  }
  if (kind === 'undo' && review.decisions.some(({ undo }) => !undo)) {
    return { call: 'review.undo', ...named, params: {} };
  }
  return kind === 'undoRestore' && restoreToUndo(state)
    ? { call: 'checkpoint.undo', ...named, params: { stop: true } }
    : undefined;
}

function composeDraft(state: SessionState, named: Named, { kind, pick }: Deed): DeedCall | undefined {
  const drafts = (state.feedback?.comments ?? []).filter(({ submission }) => submission === undefined);
  const commentId = pickOf(drafts, pick)?.id;
  if (commentId === undefined) {
    return undefined;
  }
  return kind === 'deleteComment'
    ? { call: 'review.deleteComment', ...named, params: { commentId } }
    : { call: 'review.editComment', ...named, params: { commentId, text: `Rather this ${named.deed}.` } };
}

function composeBranch(
  { turns }: SessionState,
  named: Named,
  { pick }: Deed,
  { messages: [first] }: SessionPlan,
): DeedCall | undefined {
  const ended = turns.filter(({ checkpoint }) => checkpoint);
  const turn = pickOf(ended, pick)?.number;
  return turn === undefined || !first
    ? undefined
    : {
        call: 'checkpoint.branch',
        ...named,
        params: { turn, prompt: textOf(first), title: `branch ${named.deed}`, acceptNoIsolation: true },
      };
}

async function composeDecision(client: RelayClient, named: Named, { kind, pick }: Deed): Promise<DeedCall | undefined> {
  const { accepted, proposed, files } = await client.call('review.list', { sessionId: named.sessionId });
  const file = pickOf(files, pick);
  if (!file) {
    return undefined;
  }
  const hunk = pickOf(file.hunks, spread(pick));
  const isWhole = !hunk || spread(pick, 100) < 0.25;
  return {
    call: 'review.decide',
    ...named,
    params: {
      verdict: kind === 'accept' ? 'accept' : 'reject',
      files: [{ path: file.path, ...(isWhole ? {} : { hunks: [hunk.id] }) }],
      expected: { accepted, proposed },
    },
  };
}

/** A line comes in, is another one, or goes. */
async function composeEdit(client: RelayClient, named: Named, { pick, number }: Deed): Promise<DeedCall | undefined> {
  const path = pickOf(EFFECTS_FILES, pick) ?? '';
  const { content, blob } = await client.call('changes.file', { sessionId: named.sessionId, side: 'proposed', path });
  const lines = content.split('\n').slice(0, -1);
  const own = `edited ${named.sessionId} ${number}`;
  const place = Math.floor(spread(pick) * (lines.length + 1));
  const manner = spread(pick, 100);
  const edited = lines.toSpliced(place, manner < 0.5 ? 0 : 1, ...(manner < 0.75 ? [own] : []));
  if (blob === null || edited.join() === lines.join()) {
    return undefined;
  }
  const text = edited.map(line => `${line}\n`).join('');
  return {
    call: 'review.edit',
    ...named,
    params: { path, content: Buffer.from(text).toString('base64'), expected: blob },
  };
}

async function composeComment(
  client: RelayClient,
  named: Named,
  { pick, number }: Deed,
): Promise<DeedCall | undefined> {
  const side = spread(pick) < 0.8 ? 'proposed' : 'accepted';
  const path = pickOf(EFFECTS_FILES, pick) ?? '';
  const { content, blob } = await client.call('changes.file', { sessionId: named.sessionId, side, path });
  const lines = content.split('\n').length - 1;
  const start = Math.floor(spread(pick, 100) * lines);
  return blob === null || lines === 0
    ? undefined
    : {
        call: 'review.comment',
        ...named,
        params: {
          target: { kind: 'lines', side, path, object: blob, lines: { start, count: 1 } },
          text: `Think of this ${number}.`,
        },
      };
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[Math.floor(pick * list.length)];
}

/** Another number from 0 to 1 out of the same one. */
function spread(pick: number, by = 10): number {
  return (pick * by * 7.31) % 1;
}
