import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RelayClient } from '../client/relayClient.ts';
import type { ApprovalDecision, SessionEvent } from '../protocol/events.ts';
import type { Approval, SessionState } from '../protocol/session.ts';
import { NO_USAGE } from '../protocol/usage.ts';
import { CART_ANSWER, CART_FILES, CART_MESSAGE, CART_QUESTION, CART_TITLE, CART_TURNS } from './demo/cartSample.ts';
import { makeOwnRepository } from '../server/src/git/ownRepository.ts';
import { cleanUp, modelEnv, say, scratchFolder, startRelay } from './demo/stage.ts';

/*
 * Records the sample session that the relay ships, anew: a real relay, a real sandbox and the real Claude Code with a scripted
 * model. `node scripts/recordSample.ts`; needs an isolated sandbox, so that no path of this machine is in it.
 */

const OUTPUT = join(import.meta.dirname, '../server/src/samples/cart.json');
/** What the log of a sample has not: its beginning is its own, and it has neither sandbox nor agent. */
const LEFT_OUT = new Set([
  'sessionCreated',
  'preparing',
  'sandboxReady',
  'agentStarted',
  'agentEnded',
  'commandsFound',
]);

try {
  await record();
} finally {
  await cleanUp();
}

async function record(): Promise<void> {
  const folder = await scratchFolder();
  const repository = join(folder, 'cart');
  await makeOwnRepository(repository, { files: CART_FILES, message: CART_MESSAGE, branch: 'main' });
  const script = CART_TURNS.flatMap(turn => turn.script);
  const client = await startRelay(folder, await modelEnv(undefined, script));
  const [first, ...others] = CART_TURNS;
  const { sessionId } = await client.call('session.create', {
    source: repository,
    prompt: first?.prompt ?? '',
    permissionMode: 'acceptEdits',
  });
  let state = await turnDone(client, sessionId, 1);
  for (const [index, { prompt }] of others.entries()) {
    await client.call('session.send', { sessionId, text: prompt });
    state = await turnDone(client, sessionId, index + 2);
  }
  const { events } = await client.call('session.events', { sessionId, after: 0, limit: 1000 });
  const recording = {
    name: 'cart',
    title: CART_TITLE,
    message: CART_MESSAGE,
    base: { commit: state.base, files: CART_FILES },
    turns: await Promise.all(state.turns.map(({ number }) => filesOf(client, sessionId, number))),
    events: relative(events, state),
  };
  await writeFile(OUTPUT, `${JSON.stringify(recording, null, 2)}\n`);
  await client.call('session.archive', { sessionId, archived: true });
  say(`${events.length} events of ${state.turns.length} turns are in ${OUTPUT}`);
}

/** Follows a session until so many turns are done, and answers what the agent asks. */
function turnDone(client: RelayClient, sessionId: string, turns: number): Promise<SessionState> {
  const answered = new Set<string>();
  return new Promise((resolve, reject) => {
    const following = client.follow(sessionId, ({ state }, change) => {
      if (change.kind === 'failed' || state?.phase.kind === 'blocked') {
        reject(new Error(`The session did not go on: ${JSON.stringify(state?.phase)}`));
        return;
      }
      for (const approval of state?.approvals ?? []) {
        if (!answered.has(approval.id)) {
          answered.add(approval.id);
          const decision = answerOf(approval);
          client.call('session.answer', { sessionId, approvalId: approval.id, decision }).catch(reject);
        }
      }
      if (state?.turns[turns - 1]?.checkpoint) {
        setImmediate(() => following.dispose());
        resolve(state);
      }
    });
  });
}

function answerOf({ kind }: Approval): ApprovalDecision {
  return kind === 'questions' ? { kind: 'answers', answers: { [CART_QUESTION]: CART_ANSWER } } : { kind: 'allow' };
}

/** The files that are not as in the base at the end of a turn. */
async function filesOf(client: RelayClient, sessionId: string, turn: number): Promise<Record<string, string>> {
  const { files } = await client.call('changes.list', { sessionId, from: 'base', to: `turn:${turn}` });
  const found: Record<string, string> = {};
  for (const { path } of files) {
    const { content } = await client.call('changes.file', { sessionId, side: `turn:${turn}`, path });
    found[path] = content;
  }
  return found;
}

/** The log without anything of this machine: commits and times by name, and nothing was spent. */
function relative(events: readonly SessionEvent[], { base, turns }: SessionState): object[] {
  const names = new Map([
    [base, '{base}'],
    ...turns.map(({ number, checkpoint }) => [checkpoint?.commit ?? '', `{turn:${number}}`] as const),
  ]);
  const kept = events.filter(({ body }) => !LEFT_OUT.has(body.type));
  const start = kept[0]?.at ?? 0;
  return kept.map(({ at, body }) => {
    const own = body.type === 'agentFinished' ? { ...body, usage: NO_USAGE } : body;
    const text = [...names].reduce((all, [commit, name]) => all.replaceAll(commit, name), JSON.stringify(own));
    return { afterMs: at - start, body: JSON.parse(text) as unknown };
  });
}
