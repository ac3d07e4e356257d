import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readConfig } from '../../../server/src/core/config.ts';
import { tokenForHost, tokenForRemote } from '../../../server/src/core/forgeConfig.ts';

describe('the tokens of forges', () => {
  it('are each for the host that stands before them', () => {
    const { gitea, gitlab } = readConfig({
      SANDPIPER_GITEA_TOKEN: 'gitea.com=one, Git.example:3000=two,three',
      SANDPIPER_GITLAB_TOKEN: 'glpat-four',
    });
    assert.deepEqual(Object.fromEntries(gitea.tokens), {
      'codeberg.org': 'three',
      'git.example:3000': 'two',
      'gitea.com': 'one',
    });
    assert.deepEqual([...gitlab.tokens], [['gitlab.com', 'glpat-four']]);
  });

  it('are for the hosts that were set where they name none, and not for those of others', () => {
    const { gitlab } = readConfig({
      SANDPIPER_GITLAB_HOSTS: 'git.one.example,git.two.example',
      SANDPIPER_GITLAB_TOKEN: 'git.two.example=two,one',
    });
    assert.deepEqual(Object.fromEntries(gitlab.tokens), { 'git.one.example': 'one', 'git.two.example': 'two' });
  });

  it('go to no other forge', () => {
    const config = readConfig({
      SANDPIPER_GITHUB_TOKEN: 'hub',
      SANDPIPER_GITHUB_HOSTS: 'GHE.example',
      SANDPIPER_GITEA_TOKEN: 'tea',
      SANDPIPER_GITLAB_TOKEN: 'lab',
    });
    const cases = [
      ['https://github.com/acme/app.git', 'hub'],
      ['git@github.com:acme/app.git', 'hub'],
      ['https://ghe.example/acme/app.git', 'hub'],
      ['git@codeberg.org:acme/app.git', 'tea'],
      ['https://gitlab.com/group/sub/app.git', 'lab'],
      ['https://gitea.com/acme/app.git', undefined],
      ['https://git.example/acme/app.git', undefined],
      ['/srv/git/app', undefined],
      [undefined, undefined],
    ] as const;
    for (const [remote, token] of cases) {
      assert.equal(tokenForRemote(config, remote), token, remote);
    }
    assert.equal(tokenForHost(config, { forge: 'gitea', host: 'gitlab.com' }), undefined);
    assert.equal(tokenForHost(config, { forge: 'github', host: 'github.com' }), 'hub');
  });

  it('are named with the variable of a host that is none', () => {
    assert.throws(() => readConfig({ SANDPIPER_GITEA_HOSTS: 'a b', SANDPIPER_GITLAB_HOSTS: 'x=y' }), {
      code: 'invalid_params',
      message: /SANDPIPER_GITEA_HOSTS.*SANDPIPER_GITLAB_HOSTS/,
    });
  });
});
