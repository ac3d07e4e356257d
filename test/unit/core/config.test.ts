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

  it('say where a cluster is, and what is missing or wrong about it', () => {
    assert.equal(readConfig({}).vendors.kubernetes, undefined);
    const given = { SANDPIPER_KUBECONFIG: 'default', SANDPIPER_KUBERNETES_IMAGE: 'agent:1' };
    const cluster = readConfig({ ...given, SANDPIPER_KUBERNETES_RELAY_PODS: 'app=relay, tier=x' }).vendors.kubernetes;
    assert.deepEqual(cluster?.relayPods, { app: 'relay', tier: 'x' });
    assert.deepEqual(cluster.limits, { cpus: 2, memoryMb: 4096, diskMb: 10_240 });
    for (const [name, value] of [
      ['SANDPIPER_KUBERNETES_IMAGE', ''],
      ['SANDPIPER_KUBERNETES_CPUS', '0'],
      ['SANDPIPER_KUBERNETES_MEMORY_MB', 'much'],
      ['SANDPIPER_KUBERNETES_POLICY', 'none'],
      ['SANDPIPER_KUBERNETES_RELAY_PODS', 'relay'],
    ] as const) {
      assert.throws(() => readConfig({ ...given, [name]: value }), {
        code: 'invalid_params',
        message: new RegExp(name),
      });
    }
  });
});
