import assert from 'node:assert/strict';
import { accountProvider } from '../../../extension/src/commands/forgeAccount.ts';
import { errorActions, installCommand, installOf } from '../../../extension/src/errorActions.ts';
import {
  draftNotes,
  needsConsent,
  orderProviders,
  pickProvider,
} from '../../../extension/src/sessions/draftDecisions.ts';

const box = { id: 'local', available: true, isolation: 'process' as const };
const bare = { id: 'local', available: true, isolation: 'none' as const, reason: 'bubblewrap is not installed.' };
const away = { id: 'docker', available: false, isolation: 'container' as const, reason: 'Docker does not run.' };

describe('where a new session works', () => {
  it('is the first available place that isolates', () => {
    assert.deepEqual(pickProvider([bare, away, { ...box, id: 'vm' }], 'auto'), { provider: 'vm' });
    assert.deepEqual(pickProvider([away, bare], 'auto'), { provider: 'local' });
    assert.deepEqual(pickProvider([away], 'auto'), {});
  });

  it('needs consent only when nothing available isolates', () => {
    assert.equal(needsConsent([away, bare], 'auto'), true);
    assert.equal(needsConsent([bare, box], 'auto'), false);
    assert.equal(needsConsent([away], 'auto'), false);
  });

  it('is the one of the setting, also when that cannot be: the relay then says why', () => {
    const yard = { id: 'docker', available: true, isolation: 'container' as const };
    assert.deepEqual(pickProvider([box, yard], 'docker'), { provider: 'docker' });
    assert.deepEqual(pickProvider([box, away], 'docker'), { provider: 'docker' });
    assert.deepEqual(pickProvider([box], 'nowhere'), { provider: 'nowhere' });
    assert.deepEqual(orderProviders([box, yard], 'docker'), [yard, box]);
    assert.deepEqual(orderProviders([box, yard], 'auto'), [box, yard]);
    assert.equal(needsConsent([bare, yard], 'docker'), false);
    assert.equal(needsConsent([bare, yard], 'local'), true);
  });

  it('is not made to look bad by what is not chosen', () => {
    const info = {
      version: '1',
      protocolVersion: 1,
      startedAt: 0,
      pid: 1,
      dataFolder: '/d',
      providers: [box, away],
      agents: [],
      modelKey: { present: true, source: 'none' },
    };
    assert.deepEqual(draftNotes(info, undefined, 'auto'), []);
    assert.deepEqual(draftNotes(info, undefined, 'docker'), ['Docker does not run.']);
  });

  it('is described by what the user should know', () => {
    const info = {
      version: '1',
      protocolVersion: 1,
      startedAt: 0,
      pid: 1,
      dataFolder: '/d',
      providers: [bare],
      agents: [{ id: 'claude', available: false, reason: 'claude is not installed.' }],
      modelKey: { present: false, source: 'none' },
    };
    assert.deepEqual(draftNotes(info, undefined, 'auto'), ['claude is not installed.', 'bubblewrap is not installed.']);
  });
});

describe('the buttons of an error', () => {
  it('lead to what solves it', () => {
    assert.deepEqual(errorActions('model_key_missing', true), ['setModelKey']);
    assert.deepEqual(errorActions('sandbox_unavailable', true), ['copyInstall', 'retry']);
    assert.deepEqual(errorActions('not_a_repository', true), ['showLog']);
    assert.deepEqual(errorActions('conflict', true), []);
  });

  it('offer Retry only to who can', () => {
    assert.deepEqual(errorActions('timeout', false), ['showLog']);
  });

  it('copy a command only where one exists', () => {
    assert.match(installCommand('sandbox_unavailable', 'linux') ?? '', /bubblewrap/);
    assert.equal(installCommand('sandbox_unavailable', 'win32'), undefined);
    assert.match(installCommand('agent_missing', 'darwin') ?? '', /claude-code/);
    const of = (message: string) => installOf({ code: 'sandbox_unavailable', message, hint: undefined }, 'linux');
    assert.match(of('bubblewrap is not installed.') ?? '', /bubblewrap/);
    assert.equal(of('No Docker engine was found on this machine.'), undefined);
  });
});

describe('the account for a forge', () => {
  const enterprise = 'https://git.acme.com';

  it('is chosen by the host of the remote, however it is written', () => {
    for (const url of ['https://github.com/a/b.git', 'git@github.com:a/b.git', 'ssh://git@ssh.github.com:443/a/b']) {
      assert.equal(accountProvider(url, enterprise), 'github', url);
    }
    assert.equal(accountProvider('git@git.acme.com:a/b.git', enterprise), 'github-enterprise');
  });

  it('is none for other hosts, so that a token goes only where it is from', () => {
    for (const url of [
      undefined,
      '',
      'https://gitlab.com/a/b',
      'https://notgithub.com/a/b',
      'git@github.com.evil.example:a/b',
      '/code/github.com:a',
    ]) {
      assert.equal(accountProvider(url, enterprise), undefined, String(url));
      assert.equal(accountProvider(url, ''), undefined, String(url));
    }
  });
});
