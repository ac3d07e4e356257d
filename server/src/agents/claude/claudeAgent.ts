import type { Agent } from '../agent.ts';
import { createClaudeDecoder } from './claudeDecoder.ts';
import { atLeast } from './claudeVersion.ts';
import { cutConversation } from './cutConversation.ts';
import { encodeAnswer, encodeInterrupt, encodeMessage, encodeSettings } from './encode.ts';
import { findClaude, versionFrom, type SearchPlaces } from './findClaude.ts';
import { localConversations } from './localConversations.ts';
import { planLaunch } from './launchPlan.ts';

/** Older versions are silent while a tool runs, and of several messages in one turn they acknowledge the last alone. */
const SPEAKS_SINCE = '2.1.268';

/** Claude Code, driven by its stream-json protocol. */
export function createClaudeAgent(places: SearchPlaces): Agent {
  return {
    id: 'claude',
    displayName: 'Claude Code',
    find: configuredPath => findClaude(configuredPath, places),
    programName: 'claude',
    versionFrom,
    plan: planLaunch,
    createDecoder: createClaudeDecoder,
    encodeMessage,
    encodeAnswer: (_approvalId, answerContext, decision) => encodeAnswer(answerContext, decision),
    encodeInterrupt,
    encodeSettings,
    conversationFile: ({ home, workspace, conversationId }) =>
      `${home}/.claude/projects/${workspace.replace(/[^A-Za-z0-9]/g, '-')}/${conversationId}.jsonl`,
    cutConversation,
    ...(places.configFolder === undefined ? {} : { local: localConversations(places.configFolder) }),
    takesImages: true,
    takesInTurn: version => atLeast(version, SPEAKS_SINCE),
    heartbeatMs: version => (atLeast(version, SPEAKS_SINCE) ? 30_000 : undefined),
  };
}
