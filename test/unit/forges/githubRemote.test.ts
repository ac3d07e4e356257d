import assert from 'node:assert/strict';
import { gitUrl, githubHosts, matchGithubRemote } from '../../../server/src/forges/github/githubRemote.ts';

const hosts = githubHosts([
  { host: 'GHE.corp.example', apiUrl: 'https://ghe.corp.example/api/v3/' },
  { host: 'git.corp.example:8443', apiUrl: 'https://git.corp.example:8443/api/v3' },
  { host: '127.0.0.1:4000', apiUrl: 'http://127.0.0.1:4000/api/v3' },
  { host: 'github.com', apiUrl: 'https://evil.example' },
]);

describe('githubRemote', () => {
  it('knows every form of a remote', () => {
    const forms = [
      'https://github.com/acme/app.git',
      'https://github.com/acme/app',
      'https://github.com/acme/app/',
      'https://www.github.com/acme/app.git',
      'https://GitHub.com:443/acme/app.git',
      'https://user:secret@github.com/acme/app.git',
      'git@github.com:acme/app.git',
      'git@github.com:acme/app',
      'git@github.com:/acme/app.git',
      'github.com:acme/app.git',
      'ssh://git@github.com/acme/app.git',
      'ssh://git@github.com:22/acme/app.git',
      'ssh://git@ssh.github.com:443/acme/app.git',
      'git+ssh://git@github.com/acme/app.git',
      ' https://github.com/acme/app.git\n',
    ];
    for (const form of forms) {
      assert.deepEqual(matchGithubRemote(form, hosts), { host: 'github.com', owner: 'acme', name: 'app' }, form);
    }
  });

  it('knows configured hosts, with their ports', () => {
    const cases = [
      ['https://ghe.corp.example/acme/my.app-1.git', 'ghe.corp.example', 'my.app-1'],
      ['git@ghe.corp.example:acme/app_x', 'ghe.corp.example', 'app_x'],
      ['https://git.corp.example:8443/acme/app.git', 'git.corp.example:8443', 'app'],
      ['http://127.0.0.1:4000/acme/app.git', '127.0.0.1:4000', 'app'],
    ] as const;
    for (const [remote, host, name] of cases) {
      assert.deepEqual(matchGithubRemote(remote, hosts), { host, owner: 'acme', name }, remote);
    }
  });

  it('leaves everything else alone', () => {
    const others = [
      'http://github.com/acme/app.git',
      'http://ghe.corp.example/acme/app.git',
      'https://127.0.0.1:4001/acme/app.git',
      'https://git.corp.example/acme/app.git',
      'https://github.com.evil.example/acme/app.git',
      'https://evil.example/github.com/acme/app.git',
      'https://github.com/acme',
      'https://github.com/acme/app/tree/main',
      'https://github.com/acme/..',
      'https://github.com/acme/.git',
      'https://github.com/-acme/app',
      'https://github.com/acme/a%2fb',
      'git@gitlab.com:acme/app.git',
      'git://github.com/acme/app.git',
      'file:///github.com/acme/app',
      '/srv/git/acme/app.git',
      String.raw`C:\git\acme\app`,
      '../app',
      '',
    ];
    for (const remote of others) {
      assert.equal(matchGithubRemote(remote, hosts), undefined, remote);
    }
  });

  it('lets nobody give github.com another address, and names git URLs without credentials', () => {
    assert.equal(hosts.get('github.com')?.apiUrl, 'https://api.github.com');
    assert.equal(hosts.get('ghe.corp.example')?.apiUrl, 'https://ghe.corp.example/api/v3');
    const url = (host: string) => gitUrl(hosts.get(host) ?? assert.fail(host), 'acme', 'app');
    assert.equal(url('github.com'), 'https://github.com/acme/app.git');
    assert.equal(url('127.0.0.1:4000'), 'http://127.0.0.1:4000/acme/app.git');
  });
});
