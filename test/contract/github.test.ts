import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { SandpiperError } from '../../protocol/errors.ts';
import { createGithubForge } from '../../server/src/forges/github/githubForge.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import { plainGit } from '../support/plainGit.ts';
import { forgeSuite } from './forgeSuite.ts';

const FAULTS = {
  lostWithStatus: 'badGatewayAfterEffect',
  lostWithoutAnswer: 'socketCutAfterEffect',
  cut: 'socketCut',
  rateLimit: 'rateLimit',
  draftUnsupported: 'draftUnsupported',
} as const;

const connect = (server: GithubServer) => createGithubForge({ hosts: [{ host: server.host, apiUrl: server.apiUrl }] });

forgeSuite('github', async () => {
  const server = await startGithubServer();
  let closed: Promise<void> | undefined;
  return {
    forge: connect(server),
    token: server.token,
    readToken: server.readToken,
    async createRepository(owner, name) {
      const { cloneUrl, bareFolder } = await server.createRepository(owner, name);
      return { remoteUrl: cloneUrl, bareFolder };
    },
    pullRequests: () => server.pullRequests(),
    counts: () => {
      const times = (id: string) => server.requests().filter(request => request.operation === id).length;
      return { created: times('pulls/create'), updated: times('pulls/update') };
    },
    async closePullRequest(number) {
      const answer = await fetch(`${server.apiUrl}/repos/acme/app/pulls/${number}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${server.token}` },
        body: JSON.stringify({ state: 'closed' }),
      });
      assert.equal(answer.status, 200);
    },
    fault: kind => server.fault(FAULTS[kind]),
    permission: /pull requests.*write/i,
    nothingToMerge: /No commits between main and work/,
    close() {
      // Every test of the contract is also one of GitHub's description, in both directions.
      closed ??= server.close().then(() => assert.deepEqual(server.violations(), []));
      return closed;
    },
  };
});

describe('github', () => {
  let server: GithubServer;
  let bareFolder = '';

  before(async () => {
    server = await startGithubServer({ token: 'ghs_a-token-of-our-own' });
    ({ bareFolder } = await server.createRepository('acme', 'app'));
  });

  after(() => server.close());

  it('names the version of the API that it was written for', async () => {
    const forge = connect(server);
    const repository = forge.match(`${server.url}/acme/app.git`);
    assert(repository);
    await forge.defaultBranch(repository, server.token);
    assert.deepEqual(server.requests().at(-1), {
      method: 'GET',
      path: '/api/v3/repos/acme/app',
      operation: 'repos/get',
      apiVersion: '2022-11-28',
      status: 200,
    });
  });

  it('reads a merged pull request as such and opens another for the same branch', async () => {
    const forge = connect(server);
    const repository = forge.match(`${server.url}/acme/app`);
    assert(repository);
    const request = { repository, token: server.token, baseBranch: 'main', ...(await branchOf(bareFolder, 'work')) };
    assert.equal((await forge.openPullRequest(request)).pullRequest.number, 1);
    server.merge('acme', 'app', 1);
    const { pullRequest, created } = await forge.openPullRequest({ ...request, known: 1 });
    assert.deepEqual([created, pullRequest.number, pullRequest.state], [true, 2, 'open']);
    assert.match(await (await fetch(pullRequest.url)).text(), /Fix &#60;it&#62; #2[^]*file\.txt \| 1 \+/);
  });

  it('maps faults by their status', async () => {
    const forge = connect(server);
    const repository = forge.match(`${server.url}/acme/app`);
    assert(repository);
    server.fault('unauthorized');
    await assert.rejects(forge.defaultBranch(repository, server.token), { code: 'forge_unauthorized' });
    server.fault('badGateway', { operation: 'repos/get', times: 2 });
    await assert.rejects(forge.defaultBranch(repository, server.token), { code: 'forge_unreachable' });
    await assert.rejects(forge.defaultBranch(repository, server.token), { code: 'forge_unreachable' });
    assert.equal(await forge.defaultBranch(repository, server.token), 'main');
  });

  it('does not take a login page for GitHub, and does not quote a proxy that repeats the token', async () => {
    const proxy = createServer((request, response) => {
      const isApi = request.url?.includes('/repos/acme/app') ?? false;
      response.writeHead(isApi ? 200 : 400, { 'content-type': isApi ? 'text/html' : 'application/json' });
      response.end(isApi ? '<html>Please sign in</html>' : JSON.stringify({ message: request.headers.authorization }));
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const address = proxy.address();
      assert(address && typeof address === 'object');
      const host = `127.0.0.1:${address.port}`;
      const forge = createGithubForge({ hosts: [{ host, apiUrl: `http://${host}/api/v3` }] });
      const place = { forge: 'github', host, owner: 'acme' };
      await assert.rejects(forge.defaultBranch({ ...place, name: 'app' }, 'tok-secret'), { code: 'forge_unreachable' });
      await assert.rejects(forge.defaultBranch({ ...place, name: 'echo' }, 'tok-secret'), error => {
        assert(error instanceof SandpiperError);
        assert.equal(error.code, 'forge_refused');
        assert.match(error.message, /\[redacted\]/);
        assert(!error.message.includes('tok-secret'));
        return true;
      });
    } finally {
      proxy.closeAllConnections();
      await new Promise(resolve => proxy.close(resolve));
    }
  });

  it('asks no host that it does not know', async () => {
    const forge = createGithubForge({ hosts: [], fetch: () => assert.fail('nothing is to be sent') });
    const repository = { forge: 'github', host: 'evil.example', owner: 'acme', name: 'app' };
    await assert.rejects(forge.defaultBranch(repository, 'token'), { code: 'no_forge' });
    assert.throws(() => forge.pushCredential(repository, 'token'), { code: 'no_forge' });
  });
});

describe('github emulator', () => {
  it('starts in well under a second and leaves nothing behind', async () => {
    const startedAt = performance.now();
    const server = await startGithubServer();
    const startMs = performance.now() - startedAt;
    await server.close();
    assert(startMs < 1000, `took ${startMs} ms`);
  });

  it('refuses what GitHub does not know: fields, queries, types, operations', async () => {
    const server = await startGithubServer();
    try {
      await server.createRepository('acme', 'app');
      const ask = async (path: string, body?: object) => {
        const { status } = await fetch(`${server.apiUrl}${path}`, {
          headers: { authorization: `Bearer ${server.token}` },
          ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
        });
        return status;
      };
      const good = { title: 'x', head: 'x', base: 'main' };
      assert.equal(await ask('/repos/acme/app/pulls', { ...good, colour: 'red' }), 422);
      assert.equal(await ask('/repos/acme/app/pulls', { ...good, title: 1 }), 422);
      assert.equal(await ask('/repos/acme/app/pulls', { title: 'x' }), 422);
      assert.equal(await ask('/repos/acme/app/pulls?colour=red'), 422);
      assert.equal(server.violations().length, 5);
      assert.equal(await ask('/no/such/thing'), 404);
      assert.equal(await ask('/repos/acme/app/hooks'), 501);
      assert.equal((await fetch(`${server.apiUrl}/repos/acme/app`)).status, 401);
    } finally {
      await server.close();
    }
  });

  it('copies a repository that it is given', async () => {
    const server = await startGithubServer();
    try {
      const { bareFolder } = await server.createRepository('acme', 'app');
      const copy = await server.createRepository('acme', 'copy', { from: bareFolder, defaultBranch: 'main' });
      assert.notEqual(copy.bareFolder, bareFolder);
      const commits = [bareFolder, copy.bareFolder].map(folder => plainGit(folder, ['rev-parse', 'main']));
      assert.equal(await commits[0], await commits[1]);
      assert.equal((await fetch(`${server.url}/acme/copy/pull/1`)).status, 404);
    } finally {
      await server.close();
    }
  });
});

/** A branch with one commit more than `main`, made in the bare repository, and the texts for its pull request. */
async function branchOf(bareFolder: string, branch: string) {
  const index = { GIT_INDEX_FILE: join(bareFolder, 'test-index') };
  const blob = await plainGit(bareFolder, ['hash-object', '-w', 'HEAD']);
  await plainGit(bareFolder, ['read-tree', 'main'], index);
  await plainGit(bareFolder, ['update-index', '--add', '--cacheinfo', `100644,${blob},file.txt`], index);
  const tree = await plainGit(bareFolder, ['write-tree'], index);
  const headCommit = await plainGit(bareFolder, ['commit-tree', '-p', 'main', '-m', 'Work', tree]);
  await plainGit(bareFolder, ['update-ref', `refs/heads/${branch}`, headCommit]);
  return { branch, headCommit, title: 'Fix <it>', body: 'Because.', draft: false };
}
