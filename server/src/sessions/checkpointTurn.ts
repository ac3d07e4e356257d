import type { EventBody } from '../../../protocol/events.ts';
import type { Agent } from '../agents/agent.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { answersOfTurn } from './answersOfTurn.ts';
import type { Dependencies } from './dependencies.ts';
import { copyOf, saveConversation } from './savedConversation.ts';
import type { SessionLog } from './sessionLog.ts';
import { offerTurn } from './offering.ts';
import { makeCheckpoint, mirrorOf } from './workspace.ts';

/** From here on a conversation costs the agent much memory and time at every start. */
const LONG_BYTES = 50 * 1024 * 1024;

/** Says that a conversation has grown long: once, and again with each further such length. Pure. */
export function lengthNotice(beforeBytes: number, bytes: number): EventBody[] {
  const megabytes = Math.round(bytes / 1024 / 1024);
  return Math.floor(bytes / LONG_BYTES) <= Math.floor(beforeBytes / LONG_BYTES)
    ? []
    : [
        {
          type: 'noticeRaised',
          level: 'warning',
          text: `The conversation has grown to ${megabytes} MB. The agent needs many times that in memory.`,
          hint: 'Send /compact to have it summarised, or start a new session.',
        },
      ];
}

/** Makes the checkpoint of a turn that the agent has ended; with it the turn is done (I8). */
export async function checkpointTurn(
  dependencies: Dependencies,
  log: SessionLog,
  agent: Agent,
  sandbox: Sandbox,
  turn: number,
): Promise<void> {
  const { state: before } = log;
  const sizeBefore = await dependencies.conversations.size(copyOf(before));
  const [checkpoint, size] = await Promise.all([
    makeCheckpoint(dependencies, sandbox, before, turn),
    saveConversation(dependencies, log, agent, sandbox),
  ]);
  await dependencies.ownership.confirm();
  const offered = await offerTurn(mirrorOf(dependencies, before), before, checkpoint.commit);
  const answers = await answersOfTurn(dependencies, before, turn, offered.proposed ?? checkpoint.commit);
  await log.update(state => {
    const ended = state.turns.find(candidate => candidate.number === turn);
    // A reviewer who decided meanwhile decided on something else: then the step is taken again.
    const isCurrent = state.accepted === before.accepted && state.proposed === before.proposed;
    return ended?.agent && !ended.checkpoint && isCurrent
      ? {
          events: [
            ...lengthNotice(sizeBefore, size),
            ...checkpoint.notices.map(
              text =>
                ({ type: 'noticeRaised', level: 'warning', text, hint: 'The sandbox keeps it as it is.' }) as const,
            ),
            {
              type: 'turnFinished',
              turn,
              outcome: ended.agent.outcome,
              checkpoint: checkpoint.commit,
              changed: checkpoint.changed,
              ...offered,
            },
            ...(answers.length === 0 ? [] : [{ type: 'reviewAnswered', turn, answers } as const]),
          ],
        }
      : undefined;
  });
}
