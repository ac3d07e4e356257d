import type { EventBody } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Agent } from '../agents/agent.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { conversationName } from './conversations.ts';
import type { Dependencies } from './dependencies.ts';
import type { SessionLog } from './sessionLog.ts';

/** The agent's own id of the conversation that the session is in. */
export function conversationIdOf({ state, runtime }: Pick<SessionLog, 'state' | 'runtime'>): string {
  return state.conversation ?? runtime.conversationId;
}

/** Where the agent keeps the session's conversation inside the sandbox. */
export function conversationIn(log: SessionLog, sandbox: Sandbox, agent: Agent | undefined): string | undefined {
  return agent?.conversationFile?.({ ...sandbox.paths, conversationId: conversationIdOf(log) });
}

/** The name of the relay's copy of the session's conversation. */
export function copyOf({ id, conversation }: SessionState): string {
  return conversationName(id, conversation);
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
    return path === undefined ? 0 : await dependencies.conversations.save(copyOf(log.state), sandbox, path);
  } catch (error) {
    const fields = { sessionId: log.state.id };
    dependencies.log.log('warn', 'session', `The conversation was not copied: ${String(error)}`, fields);
    return 0;
  }
}

/**
 * Puts what the agent remembered into a sandbox that was made again and has it not. Returns what a person must know.
 * @param options `replace`: what is there may be older than the relay's copy
 */
export async function restoreConversation(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  { replace }: { replace: boolean } = { replace: false },
): Promise<EventBody[]> {
  const agent = dependencies.agents.get(log.state.agent.id);
  const path = conversationIn(log, sandbox, agent);
  if (!agent || !remembers(log.state) || (!replace && path !== undefined && (await isThere(sandbox, path)))) {
    return [];
  }
  const content = await dependencies.conversations.read(copyOf(log.state));
  const known = content && withoutUntaken(log, agent, content);
  if (path !== undefined && known && known.length > 0) {
    await sandbox.writeFile(path, known, { mode: 0o600 });
    return [];
  }
  return [
    {
      type: 'noticeRaised',
      level: 'warning',
      text: 'What the agent remembered of this session was lost with its sandbox.',
      hint: 'It begins a new conversation: tell it what it needs to know.',
    },
  ];
}

/**
 * Whether the agent's next process goes on with a conversation, by what is in the sandbox: an agent refuses to begin one
 * that there is, and to go on with one that there is not. A message that it has and the log has not is taken out, or
 * the agent would drop it as seen when it is handed over.
 * @param isNew nobody but the relay has put anything into the sandbox
 */
export async function preparesToResume(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  agent: Agent,
  isNew: boolean,
): Promise<boolean> {
  const path = conversationIn(log, sandbox, agent);
  if (path === undefined || (isNew && !remembers(log.state))) {
    return remembers(log.state);
  }
  if (!(await isThere(sandbox, path))) {
    // After a restore, and in a sandbox that was made again, it may begin anew; else the agent says what is missing.
    const { heads, conversation } = log.state;
    const mayBeMissing = log.runtime.remade === true || heads !== undefined || conversation !== undefined;
    return remembers(log.state) && !mayBeMissing;
  }
  const mayHaveMore = log.state.items.some(item => item.kind === 'message' && item.delivery === 'sent');
  if (remembers(log.state) && !mayHaveMore) {
    return true;
  }
  await dependencies.conversations.save(copyOf(log.state), sandbox, path);
  const content = await dependencies.conversations.read(copyOf(log.state));
  const known = content && withoutUntaken(log, agent, content);
  if (known?.length === 0 || !remembers(log.state)) {
    await sandbox.exec(['rm', '-f', path], { timeoutMs: 30_000 });
    return false;
  }
  if (known) {
    await sandbox.writeFile(path, known, { mode: 0o600 });
  }
  return true;
}

/** Whether there is anything that an agent of the session may remember. */
function remembers({ items }: SessionState): boolean {
  return items.some(item => item.kind === 'message' && item.delivery === 'taken');
}

/** The conversation up to the first message that the agent is still to be given. */
function withoutUntaken(log: SessionLog, agent: Agent, content: Buffer): Buffer {
  const messageIds = log.state.items.flatMap(item =>
    item.kind === 'message' && item.delivery !== 'taken' ? [item.id] : [],
  );
  const later = { messageIds: new Set(messageIds), itemIds: new Set<string>() };
  return agent.cutConversation?.(content, later, conversationIdOf(log)) ?? content;
}

async function isThere(sandbox: Sandbox, path: string): Promise<boolean> {
  return !(await sandbox.readFrom(path, 0, 1)).missing;
}
