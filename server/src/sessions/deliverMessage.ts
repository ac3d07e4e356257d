import type { Agent } from '../agents/agent.ts';
import type { AgentInput, BlobStore } from '../store/store.ts';
import { decideNext } from './decisions.ts';
import { loadImages } from './messageImages.ts';
import type { SessionLog } from './sessionLog.ts';

/** Has the log hand a message to the agent, if that is still what comes next. @returns what the agent is to read */
export async function deliverMessage(
  { blobs }: { blobs: BlobStore },
  log: SessionLog,
  agent: Agent,
  messageId: string,
): Promise<AgentInput[]> {
  const images = await loadImages(blobs, log.state, messageId);
  const { inputs } = await log.update((state, runtime) => {
    const step = decideNext(state, runtime, true);
    return step.kind === 'deliver' && step.messageId === messageId
      ? { events: [{ type: 'messageSent', messageId }], inputs: [agent.encodeMessage({ ...step, images })] }
      : undefined;
  });
  return inputs;
}
