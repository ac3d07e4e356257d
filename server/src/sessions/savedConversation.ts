import type { EventBody } from '../../../protocol/events.ts';
import type { Agent } from '../agents/agent.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import type { SessionLog } from './sessionLog.ts';

/** Where the agent keeps the session's conversation inside the sandbox. */
export function conversationIn(log: SessionLog, sandbox: Sandbox, agent: Agent | undefined): string | undefined {
  return agent?.conversationFile?.({ ...sandbox.paths, conversationId: log.runtime.conversationId });
}

/** Copies what the agent remembers, as a turn ends. Without it nothing fails until the sandbox is lost. Never throws. */
export async function saveConversation(
  dependencies: Dependencies,
  log: SessionLog,
  agent: Agent,
  sandbox: Sandbox,
): Promise<number> {
  const path = conversationIn(log, sandbox, agent);
  try {
    return path === undefined ? 0 : await dependencies.conversations.save(log.state.id, sandbox, path);
  } catch (error) {
    const fields = { sessionId: log.state.id };
    dependencies.log.log('warn', 'session', `The conversation was not copied: ${String(error)}`, fields);
    return 0;
  }
}

/** Puts what the agent remembered into a sandbox that was made again and has it not. Returns what a person must know. */
export async function restoreConversation(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
): Promise<EventBody[]> {
  const agent = dependencies.agents.get(log.state.agent.id);
  if (agent && (await hasConversation(log, sandbox, agent))) {
    return [];
  }
  const path = conversationIn(log, sandbox, agent);
  const restored = path !== undefined && (await dependencies.conversations.restore(log.state.id, sandbox, path));
  const remembered = log.state.turns.some(turn => turn.agent);
  return restored || !remembered
    ? []
    : [
        {
          type: 'noticeRaised',
          level: 'warning',
          text: 'What the agent remembered of this session was lost with its sandbox.',
          hint: 'It begins a new conversation: tell it what it needs to know.',
        },
      ];
}

export async function hasConversation(log: SessionLog, sandbox: Sandbox, agent: Agent): Promise<boolean> {
  const path = conversationIn(log, sandbox, agent);
  return path !== undefined && !(await sandbox.readFrom(path, 0, 1)).missing;
}
