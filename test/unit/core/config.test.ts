import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'mocha';
import { readConfig } from '../../../server/src/core/config.ts';

describe('the settings', () => {
  it('take an empty variable for one that is not set', () => {
    const names = ['SANDPIPER_DATA', 'SANDPIPER_PORT', 'SANDPIPER_LOG', 'SANDPIPER_CLAUDE', 'ANTHROPIC_BASE_URL'];
    const empty = Object.fromEntries([...names, 'ANTHROPIC_API_KEY', 'SANDPIPER_GITHUB_TOKEN'].map(name => [name, '']));
    assert.deepEqual(readConfig({ ...empty, GITHUB_TOKEN: 'fallback' }), readConfig({ GITHUB_TOKEN: 'fallback' }));
    assert.equal(readConfig({ SANDPIPER_GITHUB_TOKEN: '', GITHUB_TOKEN: 'fallback' }).githubToken, 'fallback');
  });

  it('name the data folder by a whole path', () => {
    assert.equal(readConfig({ SANDPIPER_DATA: 'here' }).dataFolder, resolve('here'));
  });

  it('are refused with the name of every wrong one', () => {
    assert.throws(() => readConfig({ SANDPIPER_PORT: '70000', SANDPIPER_LOG: 'loud', ANTHROPIC_BASE_URL: 'ftp://x' }), {
      code: 'invalid_params',
      message: /SANDPIPER_PORT.*SANDPIPER_LOG.*ANTHROPIC_BASE_URL|SANDPIPER_LOG.*ANTHROPIC_BASE_URL.*SANDPIPER_PORT/,
    });
  });
});
