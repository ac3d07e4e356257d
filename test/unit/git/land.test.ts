import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeCommit, pushBranch } from '../../../server/src/git/land.ts';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { remoteFailure } from '../../../server/src/git/remoteFailure.ts';
import { canonicalUrl, parseSource, remoteProtocol } from '../../../server/src/git/source.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { serveRepositories } from './gitHttpServer.ts';

describe('landing', () => {
  const folder = useTempFolder();
  let mirror: Mirror;
  let base = '';
  let work = '';
  beforeEach(() => {
    const source = join(folder(), 'r');
    base = makeRepository(source, { a: '1\n' });
    writeFiles(source, { a: '2\n' });
    commitAll(source, 'one');
    writeFiles(source, { a: '3\n' });
    work = commitAll(source, 'two');
    runGit(folder(), ['clone', '-q', '--bare', source, 'mirror.git']);
    mirror = { path: join(folder(), 'mirror.git'), objects: join(folder(), 'mirror.git/objects') };
    mkdirSync(join(folder(), 'served'));
    runGit(folder(), ['init', '-q', '--bare', 'served/x.git']);
    runGit(folder(), ['-C', 'served/x.git', 'config', 'http.receivepack', 'true']);
    runGit(folder(), ['-C', 'r', 'push', '-q', join(folder(), 'served/x.git'), `${base}:refs/heads/main`]);
  });

  const remote = () => join(folder(), 'served/x.git');
  const remoteRef = (branch: string) =>
    runGit(remote(), ['for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`]);
  const push = (commit: string, expectedRemote: string | undefined, more: object = {}) =>
    pushBranch(mirror, { url: remote(), commit, branch: 'sandpiper/x', expectedRemote, allowFile: true, ...more });

  function hook(name: string, script: string): void {
    writeFileSync(join(remote(), 'hooks', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(remote(), 'hooks', name), 0o755);
  }

  it('composes one commit by the user on the parent', async () => {
    const author = { name: 'Ada <x>\n', email: 'ada@example.com' };
    const spec = {
      treeOf: work,
      parents: [base],
      message: 'Title\n\n# body',
      author,
      committer: { name: ' ', email: '' },
      at: 1e12,
    };
    const commit = await composeCommit(mirror, spec);
    assert.equal(await composeCommit(mirror, spec), commit);
    const shown = runGit(mirror.path, ['log', '--format=%T|%P|%an|%ae|%cn|%ce|%at|%B', '-1', commit]);
    const tree = runGit(mirror.path, ['rev-parse', `${work}^{tree}`]);
    assert.equal(
      shown,
      `${tree}|${base}|Ada x|ada@example.com|Sandpiper|sandpiper@localhost|1000000000|Title\n\n# body`,
    );
  });

  it('pushes with a lease, and again harmlessly', async () => {
    await push(base, undefined);
    await push(base, undefined);
    await push(work, base);
    assert.equal(remoteRef('sandpiper/x'), work);
    await push(work, base);
    await push(base, work);
    assert.equal(remoteRef('sandpiper/x'), base, 'the lease allows to go back');
    await assert.rejects(push(work, undefined), { code: 'conflict' });
    await assert.rejects(push(work, '1'.repeat(40)), { code: 'conflict' });
    assert.equal(remoteRef('sandpiper/x'), base);
  });

  it('hands on what the forge refuses, and why', async () => {
    const cases: [said: string, hint: RegExp][] = [
      ['error: GH006: Protected branch update failed for refs/heads/x.', /protected/],
      ['error: GH013: Repository rule violations found\nPush cannot contain secrets', /secret/],
      ['refusing to allow an OAuth App to create or update workflow `x` without `workflow` scope', /workflow/],
      ['error: GH001: Large files detected.', /large/],
      ['no, because', /forge says/],
    ];
    for (const [said, hint] of cases) {
      hook('pre-receive', `cat >/dev/null; cat >&2 <<'E'\n${said}\nE\nexit 1`);
      await assert.rejects(push(work, undefined), (error: { code: string; message: string; hint: string }) => {
        assert.equal(error.code, 'forge_refused', said);
        assert.match(error.hint, hint);
        assert.ok(error.message.includes(said.replace('error: ', '').split('\n').at(-1) ?? ''), error.message);
        return true;
      });
    }
    assert.equal(remoteRef('sandpiper/x'), '');
  });

  it('pushes over HTTP with a header that is in no argument and no file', async () => {
    const authorization = `Basic ${Buffer.from('x-access-token:sekret-token').toString('base64')}`;
    const server = await serveRepositories(join(folder(), 'served'), authorization);
    try {
      const url = `${server.url}/x.git`;
      const header = `Authorization: ${authorization}`;
      await assert.rejects(push(work, undefined, { url }), { code: 'forge_unauthorized' });
      await assert.rejects(push(work, undefined, { url, header: 'Authorization: Basic d3Jvbmc=' }), {
        code: 'forge_unauthorized',
      });
      await push(work, undefined, { url, header });
      assert.equal(remoteRef('sandpiper/x'), work);
      await assert.rejects(push(base, undefined, { url, header }), { code: 'conflict' });
      const missing = { url: `${server.url}/none.git`, header };
      await assert.rejects(push(work, undefined, missing), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'forge_unauthorized');
        assert.equal(error.message.includes(authorization), false);
        return true;
      });
      await assert.rejects(push(work, undefined, { url, header: 'a: b\nc: d' }), { code: 'invalid_params' });
    } finally {
      await server.close();
    }
    await assert.rejects(push(work, undefined, { url: `${server.url}/x.git` }), { code: 'forge_unreachable' });
  });

  it('does not take its header along when it is sent elsewhere', async () => {
    const { createServer } = await import('node:http');
    const seen: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const forge = createServer((request, response) => {
      const address = elsewhere.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      response.writeHead(302, { Location: `http://127.0.0.1:${port}${request.url}` }).end();
    });
    const listening = (server: typeof forge) => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    await Promise.all([listening(elsewhere), listening(forge)]);
    try {
      const address = forge.address();
      const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/x.git`;
      await assert.rejects(push(work, undefined, { url, header: 'Authorization: Basic eA==' }), {
        code: 'forge_unauthorized',
      });
      assert.deepEqual(seen, []);
    } finally {
      forge.close();
      elsewhere.close();
    }
  });

  it('pushes only to remotes and branches that are one', async () => {
    const marker = join(folder(), 'pwned');
    for (const url of [
      remote(),
      `ext::touch ${marker}`,
      '--receive-pack=x',
      'http://example.com/x',
      'ssh://-oProxyCommand=x/y',
    ]) {
      await assert.rejects(push(work, undefined, { url, allowFile: false }), { code: 'invalid_params' }, url);
    }
    for (const branch of ['-x', 'a..b', 'x:refs/heads/main', '', 'HEAD']) {
      await assert.rejects(push(work, undefined, { branch }), { code: 'invalid_params' }, branch);
    }
    assert.equal(existsSync(marker), false);
  });
});

describe('remotes', () => {
  it('are let in by protocol', () => {
    const table: [url: string, protocol: string | undefined][] = [
      ['https://example.com/a/b.git', 'https'],
      ['http://localhost:3000/a', 'http'],
      ['http://127.0.0.1/a', 'http'],
      ['http://127.0.0.1.evil.com/a', undefined],
      ['http://10.0.0.1/a', undefined],
      ['ssh://git@example.com:22/a', 'ssh'],
      ['git@example.com:a/b.git', 'ssh'],
      ['git@example.com:-x', undefined],
      ['git@-oProxyCommand=x:a', undefined],
      ['ssh://-oProxyCommand=x@h/a', undefined],
      ['git://example.com/a', undefined],
      ['ext::sh -c x', undefined],
      ['fd::17', undefined],
      ['file:///x', undefined],
      ['https://exa mple.com/a', undefined],
      ['https://example.com/a\nb', undefined],
    ];
    for (const [url, protocol] of table) {
      assert.equal(remoteProtocol(url), protocol, url);
    }
  });

  it('lose their credentials and have one canonical form', () => {
    assert.deepEqual(parseSource('https://u:p@Example.com/a/b.git'), {
      kind: 'url',
      url: 'https://example.com/a/b.git',
      protocol: 'https',
    });
    assert.equal(canonicalUrl('https://u@Example.com:443/a/b.git/'), canonicalUrl('https://example.com/a/b'));
    assert.equal(parseSource('file:///tmp/a%20b').kind, 'path');
    assert.throws(() => parseSource('a/b'), { code: 'not_a_repository' });
  });

  it('say why they fail', () => {
    const table: [stderr: string, kind: string][] = [
      ["fatal: unable to access 'https://x/': Could not resolve host: x", 'unreachable'],
      ["fatal: unable to access 'https://x/': The requested URL returned error: 503", 'unreachable'],
      ["fatal: unable to access 'https://x/': The requested URL returned error: 403", 'unauthorized'],
      ["fatal: could not read Username for 'https://x': terminal prompts disabled", 'unauthorized'],
      ['git@x: Permission denied (publickey).', 'unauthorized'],
      ['Host key verification failed.', 'unreachable'],
      [' ! [rejected] a -> b (stale info)', 'stale'],
      [' ! [remote rejected] a -> b (pre-receive hook declined)', 'refused'],
      ['', 'unreachable'],
    ];
    for (const [stderr, kind] of table) {
      assert.equal(remoteFailure(stderr).kind, kind, stderr);
    }
  });
});
