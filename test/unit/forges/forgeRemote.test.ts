import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readConfig } from '../../../server/src/core/config.ts';
import { createGiteaForge } from '../../../server/src/forges/gitea/giteaForge.ts';
import { createGitlabForge } from '../../../server/src/forges/gitlab/gitlabForge.ts';

const { gitea: giteaConfig, gitlab: gitlabConfig } = readConfig({
  SANDPIPER_GITEA_HOSTS:
    'Git.corp.example:3000, 127.0.0.1:4000=http://127.0.0.1:4000/api/v1, codeberg.org=https://evil.example/api/v1',
  SANDPIPER_GITLAB_HOSTS: 'code.example=https://code.example/gitlab/api/v4',
});
const gitea = createGiteaForge(giteaConfig);
const gitlab = createGitlabForge(gitlabConfig);

describe('remotes of other forges', () => {
  it('are known in every form', () => {
    for (const form of [
      'https://codeberg.org/acme/app.git',
      'https://codeberg.org/acme/app/',
      'https://user:secret@codeberg.org/acme/app',
      'git@codeberg.org:acme/app.git',
      'ssh://git@codeberg.org:22/acme/app.git',
      ' https://Codeberg.org/acme/app.git\n',
    ]) {
      assert.deepEqual(gitea.match(form), { forge: 'gitea', host: 'codeberg.org', owner: 'acme', name: 'app' }, form);
    }
    assert.equal(gitea.match('https://gitea.com/acme/app')?.host, 'gitea.com');
    assert.equal(gitea.match('https://git.corp.example:3000/acme/my.app')?.name, 'my.app');
    assert.equal(gitea.match('http://127.0.0.1:4000/acme/app.git')?.host, '127.0.0.1:4000');
  });

  it('may lie in groups of groups where the forge has such, and below a path', () => {
    for (const form of [
      'https://gitlab.com/group/sub/deep/app.git',
      'git@gitlab.com:group/sub/deep/app.git',
      'ssh://git@altssh.gitlab.com:443/group/sub/deep/app.git',
    ]) {
      const expected = { forge: 'gitlab', host: 'gitlab.com', owner: 'group/sub/deep', name: 'app' };
      assert.deepEqual(gitlab.match(form), expected, form);
    }
    for (const form of ['https://code.example/gitlab/group/sub/app.git', 'git@code.example:group/sub/app.git']) {
      const repository = gitlab.match(form);
      assert(repository, form);
      assert.deepEqual([repository.owner, repository.name], ['group/sub', 'app'], form);
      const { url } = gitlab.pushCredential(repository, 'token');
      assert.equal(url, 'https://code.example/gitlab/group/sub/app.git');
    }
  });

  it('are left alone where they are something else', () => {
    for (const remote of [
      'https://codeberg.org/acme/sub/app.git',
      'https://codeberg.org/acme',
      'https://codeberg.org/acme/..',
      'https://codeberg.org/acme/a%2fb',
      'https://codeberg.org/-acme/app',
      'http://codeberg.org/acme/app.git',
      'https://codeberg.org.evil.example/acme/app.git',
      'https://git.corp.example/acme/app.git',
      'https://gitlab.com/acme/app.git',
      'https://github.com/acme/app.git',
      'file:///codeberg.org/acme/app',
      '/srv/git/acme/app.git',
      '',
    ]) {
      assert.equal(gitea.match(remote), undefined, remote);
    }
    for (const remote of [
      'https://gitlab.com/app.git',
      'https://gitlab.com/group/app/-/merge_requests/1',
      'https://gitlab.com/group/../app.git',
      'https://gitlab.com/group//app.git',
      'https://code.example/group/app.git',
      'http://gitlab.com/group/app.git',
    ]) {
      assert.equal(gitlab.match(remote), undefined, remote);
    }
  });

  it('cannot be given another address when they are known by themselves', () => {
    assert.equal(giteaConfig.hosts.find(({ host }) => host === 'codeberg.org')?.apiUrl, 'https://codeberg.org/api/v1');
  });

  it('are asked of no host that is not known', async () => {
    for (const [create, forge] of [
      [createGiteaForge, 'gitea'],
      [createGitlabForge, 'gitlab'],
    ] as const) {
      const other = create({ hosts: [], fetch: () => assert.fail('nothing is to be sent') });
      const repository = { forge, host: 'evil.example', owner: 'acme', name: 'app' };
      await assert.rejects(other.defaultBranch(repository, 'token'), { code: 'no_forge' });
      assert.throws(() => other.pushCredential(repository, 'token'), { code: 'no_forge' });
    }
  });
});
