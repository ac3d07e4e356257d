import assert from 'node:assert/strict';
import { showConnection } from '../../../client/link/showConnection.ts';
import { dataFolderOf, relayEnvironment, toRelayUrl } from '../../../extension/src/relay/relayTarget.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { readConfig } from '../../../server/src/core/config.ts';

describe('the address of a relay', () => {
  it('is taken as people write it', () => {
    assert.equal(toRelayUrl('https://relay.example.com/'), 'https://relay.example.com');
    assert.equal(toRelayUrl('wss://relay.example.com/team/v1/ws'), 'https://relay.example.com/team');
    assert.equal(toRelayUrl('ws://localhost:7421'), 'http://localhost:7421');
    assert.equal(toRelayUrl('http://127.0.0.1:7421'), 'http://127.0.0.1:7421');
    assert.equal(toRelayUrl('http://[::1]:7421'), 'http://[::1]:7421');
  });

  it('is refused when the token would cross a network in clear', () => {
    for (const url of ['http://relay.example.com', 'ws://10.0.0.2:7421', 'http://127.0.0.1.evil.example']) {
      assert.throws(() => toRelayUrl(url), { code: 'invalid_params', message: /in clear/ }, url);
    }
  });

  it('is refused when it is no address of a relay', () => {
    for (const url of [
      'relay',
      'file:///etc/passwd',
      'https://me:secret@relay.example.com',
      'https://r.example.com/?a=b',
    ]) {
      assert.throws(() => toRelayUrl(url), { code: 'invalid_params' }, url);
    }
  });
});

describe('the environment of the embedded relay', () => {
  const options = { dataFolder: '/data', claudePath: '', idleExitMs: 1000 };

  it('keeps what the relay reads and drops what belongs to the window', () => {
    const env = relayEnvironment(
      {
        PATH: '/bin',
        HOME: '/home/me',
        HTTPS_PROXY: 'http://proxy',
        NODE_OPTIONS: '--inspect',
        VSCODE_IPC_HOOK_CLI: '/tmp/x',
        VSCODE_PID: '1',
        ELECTRON_NO_ATTACH_CONSOLE: '1',
        BROWSER: '/vscode/bin/helpers/browser.sh',
        GIT_ASKPASS: '/vscode/askpass.sh',
        GONE: undefined,
      },
      options,
    );
    assert.deepEqual(env, {
      PATH: '/bin',
      HOME: '/home/me',
      HTTPS_PROXY: 'http://proxy',
      ELECTRON_RUN_AS_NODE: '1',
      SANDPIPER_DATA: '/data',
      SANDPIPER_IDLE_EXIT_MS: '1000',
    });
  });

  it('says where claude is only when the user does', () => {
    assert.equal(relayEnvironment({}, { ...options, claudePath: '/opt/claude' })['SANDPIPER_CLAUDE'], '/opt/claude');
  });
});

describe('the data folder', () => {
  it('is the one of the relay itself, so that editor and command line share it', () => {
    const home = process.env['HOME'] ?? '';
    for (const env of [{}, { XDG_DATA_HOME: '/xdg' }, { SANDPIPER_DATA: '/mine' }]) {
      assert.equal(dataFolderOf('', env, 'linux', home), readConfig({ ...env, HOME: home }).dataFolder);
    }
  });

  it('follows the system, and the user first of all', () => {
    assert.equal(dataFolderOf('', {}, 'darwin', '/Users/me'), '/Users/me/Library/Application Support/sandpiper');
    assert.equal(dataFolderOf('', {}, 'win32', 'C:\\Users\\me'), 'C:\\Users\\me\\AppData\\Local\\sandpiper');
    assert.equal(dataFolderOf('~/relay', {}, 'linux', '/home/me'), '/home/me/relay');
  });
});

describe('the connection as people see it', () => {
  const error = new SandpiperError('unavailable', 'Gone.');

  it('stays offline while it is tried again, and says why', () => {
    const connecting = { kind: 'connecting', step: 'finding', sinceMs: 0 } as const;
    assert.equal(showConnection({ ...connecting, attempt: 1 }, false).state, 'connecting');
    assert.equal(showConnection({ kind: 'waiting', attempt: 1, untilMs: 1, error }, false).error, error);
    const again = { state: 'offline', error: 'asBefore' };
    assert.deepEqual(showConnection({ ...connecting, attempt: 2 }, false), again);
    assert.deepEqual(showConnection({ ...connecting, attempt: 1 }, true), again);
    assert.equal(showConnection({ kind: 'connected', attempt: 2, sinceMs: 1 }, true).error, undefined);
    assert.equal(showConnection({ kind: 'refused', error }, true).state, 'refused');
  });
});
