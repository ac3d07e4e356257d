import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createGiteaForge } from '../../server/src/forges/gitea/giteaForge.ts';
import type { EmulatedForge } from '../support/forge/emulatedForge.ts';
import { startGiteaServer } from '../support/gitea/giteaServer.ts';
import { plainGit } from '../support/plainGit.ts';
import { underTest } from './emulatedForge.ts';
import { forgeSuite } from './forgeSuite.ts';

const connect = (server: EmulatedForge) => createGiteaForge({ hosts: [{ host: server.host, apiUrl: server.apiUrl }] });

forgeSuite('gitea', async () => {
  const server = await startGiteaServer();
  return underTest(server, connect(server), {
    operations: { create: 'repoCreatePullRequest', update: 'repoEditPullRequest' },
    draftPrefix: 'WIP: ',
    permission: /open pull requests.*write:repository/,
  });
});

describe('gitea', () => {
  let server: EmulatedForge;
  let bareFolder = '';
  let cloneUrl = '';
  let repositories = 0;

  before(async () => {
    server = await startGiteaServer();
  });
  beforeEach(async () => {
    ({ bareFolder, cloneUrl } = await server.createRepository('acme', `app-${++repositories}`));
    const tree = await plainGit(bareFolder, ['rev-parse', 'main^{tree}']);
    const commit = await plainGit(bareFolder, ['commit-tree', '-p', 'main', '-m', 'Work', tree]);
    await plainGit(bareFolder, ['update-ref', 'refs/heads/work', commit]);
  });
  afterEach(() => assert.deepEqual(server.violations(), []));
  after(() => server.close());

  function request(more: { draft?: boolean; title?: string; known?: number } = {}) {
    const repository = connect(server).match(cloneUrl);
    assert(repository);
    const texts = { title: 'Fix it', body: 'Because.' };
    const branches = { branch: 'work', baseBranch: 'main', headCommit: '1'.repeat(40) };
    return { repository, token: server.token, draft: true, ...texts, ...branches, ...more };
  }
  const titles = () =>
    server
      .pullRequests()
      .filter(({ repository }) => repository === `app-${repositories}`)
      .map(({ title }) => title);

  it('marks a draft by its title, and leaves what a person made ready for review so', async () => {
    const forge = connect(server);
    await forge.openPullRequest(request());
    assert.deepEqual(titles(), ['WIP: Fix it']);
    const ready = { method: 'PATCH', body: JSON.stringify({ title: 'Fix it' }) };
    const headers = { authorization: `token ${server.token}`, 'content-type': 'application/json' };
    await fetch(`${server.apiUrl}/repos/acme/app-${repositories}/pulls/1`, { ...ready, headers });
    const { pullRequest } = await forge.openPullRequest(request({ title: 'Fix it well', known: 1 }));
    assert.equal(pullRequest.draft, false);
    assert.deepEqual(titles(), ['Fix it well']);
  });

  it('takes the prefix away again where it makes no draft', async () => {
    server.fault('draftUnsupported');
    const { pullRequest } = await connect(server).openPullRequest(request());
    assert.equal(pullRequest.draft, false);
    assert.deepEqual(titles(), ['Fix it']);
  });

  it('finds its own among more than a page of others', async () => {
    const forge = connect(server);
    const first = await forge.openPullRequest(request());
    const others = Array.from({ length: 60 }, (_, at) => ({ branch: `other-${at}`, baseBranch: 'main', fork: false }));
    server.addPulls(`app-${repositories}`, others);
    assert.deepEqual(await forge.openPullRequest(request()), { ...first, created: false });
  });

  it('leaves the pull request of a fork alone whose branch has the same name', async () => {
    server.addPulls(`app-${repositories}`, [{ branch: 'work', baseBranch: 'main', fork: true }]);
    const { pullRequest, created } = await connect(server).openPullRequest(request({ known: 1 }));
    assert.deepEqual([created, pullRequest.number], [true, 2]);
  });

  it('reads a merged pull request as such and opens another for the same branch', async () => {
    const forge = connect(server);
    await forge.openPullRequest(request());
    server.end(`app-${repositories}`, 1, 'merged');
    const { pullRequest, created } = await forge.openPullRequest(request({ known: 1 }));
    assert.deepEqual([created, pullRequest.number, pullRequest.state], [true, 2, 'open']);
  });

  it('cuts a title by its bytes, as Gitea would without a word', async () => {
    const forge = connect(server);
    await forge.openPullRequest(request({ title: '\u{1f426}'.repeat(100) }));
    assert.equal((await forge.openPullRequest(request({ title: '\u{1f426}'.repeat(100) }))).created, false);
    const [title = ''] = titles();
    assert(title.endsWith('…') && title.isWellFormed() && Buffer.byteLength(title) <= 255, title);
    const edits = server.requests().filter(({ operation }) => operation === 'repoEditPullRequest');
    assert(!edits.some(({ path }) => path.includes(`app-${repositories}/`)));
  });
});
