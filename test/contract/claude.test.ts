import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createClaudeAgent } from '../../server/src/agents/claude/claudeAgent.ts';
import { agentSuite } from './agentSuite.ts';

const programPath = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'claude');

if (existsSync(programPath)) {
  agentSuite('claude', () => ({ agent: createClaudeAgent({ path: process.env['PATH'] ?? '' }), programPath }));
} else {
  describe('agent: claude', () => {
    it.skip('needs the development dependency @anthropic-ai/claude-code: run `npm install`');
  });
}
