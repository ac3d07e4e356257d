import assert from 'node:assert/strict';
import { toolTitle } from '../../../server/src/agents/claude/toolTitle.ts';

describe('toolTitle', () => {
  const title = (name: string, input: Record<string, unknown>): string => toolTitle(name, input, '/workspace');

  it('says in one line what the tool does', () => {
    assert.equal(title('Bash', { command: '\nnpm test\nnpm run lint' }), 'npm test');
    assert.equal(title('Edit', { file_path: '/workspace/src/a.ts' }), 'Edit src/a.ts');
    assert.equal(title('Read', { file_path: '/workspace2/a.ts' }), 'Read /workspace2/a.ts');
    assert.equal(title('Grep', { pattern: 'TODO' }), 'Grep TODO');
    assert.equal(title('Agent', { description: 'explore' }), 'explore');
    assert.equal(title('mcp__x__y', { description: 'does it' }), 'mcp__x__y does it');
  });

  it('falls back to the name, and cuts what is too long', () => {
    assert.equal(title('Bash', {}), 'Bash');
    assert.equal(title('Odd', { file_path: 7 }), 'Odd');
    assert.equal(title('Bash', { command: 'x'.repeat(5000) }).length, 200);
  });
});
