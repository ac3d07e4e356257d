import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createGitlabForge } from '../../server/src/forges/gitlab/gitlabForge.ts';
import type { EmulatedForge } from '../support/forge/emulatedForge.ts';
import { startGitlabServer } from '../support/gitlab/gitlabServer.ts';
import { plainGit } from '../support/plainGit.ts';
import { underTest } from './emulatedForge.ts';
import { forgeSuite } from './forgeSuite.ts';

const connect = (server: EmulatedForge) => createGitlabForge({ hosts: [{ host: server.host, apiUrl: server.apiUrl }] });

forgeSuite('gitlab', async () => {
  const server = await startGitlabServer();
  return underTest(server, connect(server), {
    operations: {
      create: 'postApiV4ProjectsIdMergeRequests',
      update: 'putApiV4ProjectsIdMergeRequestsMergeRequestIid',
    },
    draftPrefix: 'Draft: ',
    permission: /open merge requests.*api.*Developer/,
  });
});

describe('gitlab', () => {
  let server: EmulatedForge;
  let cloneUrl = '';
  let repositories = 0;

  before(async () => {
    server = await startGitlabServer();
  });
  beforeEach(async () => {
    const made = await server.createRepository('group/sub', `app-${++repositories}`);
    cloneUrl = made.cloneUrl;
    await plainGit(made.bareFolder, ['update-ref', 'refs/heads/work', 'main']);
  });
  afterEach(() => assert.deepEqual(server.violations(), []));
  after(() => server.close());

  function request(more: { body?: string; known?: number } = {}) {
    const repository = connect(server).match(cloneUrl);
    assert(repository);
    const texts = { title: 'Fix it', body: 'Because.' };
    const branches = { branch: 'work', baseBranch: 'main', headCommit: '1'.repeat(40) };
    return { repository, token: server.token, draft: true, ...texts, ...branches, ...more };
  }
  const merges = () => server.pullRequests().filter(({ repository }) => repository === `app-${repositories}`);

  it('opens a draft in a project of a group in a group', async () => {
    const forge = connect(server);
    assert.deepEqual(
      [request().repository.owner, await forge.defaultBranch(request().repository, server.token)],
      ['group/sub', 'main'],
    );
    const { pullRequest } = await forge.openPullRequest(request());
    assert(pullRequest.url.endsWith(`/group/sub/app-${repositories}/-/merge_requests/1`), pullRequest.url);
    assert.deepEqual(
      merges().map(({ title }) => title),
      ['Draft: Fix it'],
    );
  });

  it('lets no line of a text give an order to GitLab', async () => {
    const body = 'Done.\n/close\n  /merge\n\r/approve\n/target_branch other\nsee /close and a/b\n/ no order';
    const forge = connect(server);
    await forge.openPullRequest(request({ body }));
    const [merge] = merges();
    assert.equal(merge?.state, 'open');
    assert.equal(merge.body.replaceAll('\\/', '/'), body);
    const again = await forge.openPullRequest(request({ body, known: 1 }));
    assert.deepEqual([again.created, merges().length], [false, 1]);
    assert(
      !server
        .requests()
        .some(({ operation, path }) => operation?.startsWith('put') && path.includes(`app-${repositories}/`)),
    );
  });

  it('leaves the merge request of a fork alone whose branch has the same name', async () => {
    server.addPulls(`app-${repositories}`, [{ branch: 'work', baseBranch: 'main', fork: true }]);
    const { pullRequest, created } = await connect(server).openPullRequest(request({ known: 1 }));
    assert.deepEqual([created, pullRequest.number], [true, 2]);
  });

  it('opens another for the same branch when the first is merged', async () => {
    const forge = connect(server);
    await forge.openPullRequest(request());
    server.end(`app-${repositories}`, 1, 'merged');
    const { pullRequest, created } = await forge.openPullRequest(request({ known: 1 }));
    assert.deepEqual([created, pullRequest.number, pullRequest.state], [true, 2, 'open']);
  });
});
