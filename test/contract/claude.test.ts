import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createClaudeAgent } from '../../server/src/agents/claude/claudeAgent.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { agentSuite } from './agentSuite.ts';

const programPath = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'claude');

describe('the agent of this repository', () => {
  before(function () {
    requireOrSkip(this, 'agent claude', existsSync(programPath), 'run `npm ci`: @anthropic-ai/claude-code is missing');
  });
  agentSuite('claude', () => ({ agent: createClaudeAgent({ path: process.env['PATH'] ?? '' }), programPath }));
});
