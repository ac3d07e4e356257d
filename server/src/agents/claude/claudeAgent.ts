import type { Agent } from '../agent.ts';
import { createClaudeDecoder } from './claudeDecoder.ts';
import { atLeast } from './claudeVersion.ts';
import { cutConversation } from './cutConversation.ts';
import { encodeAnswer, encodeInterrupt, encodeMessage } from './encode.ts';
import { findClaude, type SearchPlaces } from './findClaude.ts';
import { planLaunch } from './launchPlan.ts';

/** Older versions are silent while a tool runs. */
const HEARTBEAT_SINCE = '2.1.268';

/** Claude Code, driven by its stream-json protocol. */
export function createClaudeAgent(places: SearchPlaces): Agent {
  return {
    id: 'claude',
    displayName: 'Claude Code',
    find: configuredPath => findClaude(configuredPath, places),
    plan: planLaunch,
    createDecoder: createClaudeDecoder,
    encodeMessage,
    encodeAnswer: (_approvalId, answerContext, decision) => encodeAnswer(answerContext, decision),
    encodeInterrupt,
    conversationFile: ({ home, workspace, conversationId }) =>
      `${home}/.claude/projects/${workspace.replace(/[^A-Za-z0-9]/g, '-')}/${conversationId}.jsonl`,
    cutConversation,
    heartbeatMs: version => (atLeast(version, HEARTBEAT_SINCE) ? 30_000 : undefined),
  };
}
