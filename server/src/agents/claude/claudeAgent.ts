import type { Agent } from '../agent.ts';
import { createClaudeDecoder } from './claudeDecoder.ts';
import { encodeAnswer, encodeInterrupt, encodeMessage } from './encode.ts';
import { findClaude, type SearchPlaces } from './findClaude.ts';
import { planLaunch } from './launchPlan.ts';

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
  };
}
