import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { SandpiperError, type ErrorCode } from '../../protocol/errors.ts';
import type { Forge, ForgeRepository, PullRequestRequest } from '../../server/src/forges/forge.ts';
import { plainGit } from '../support/plainGit.ts';

/** A forge, and the server behind it as its other users would see it. */
export interface ForgeUnderTest {
  forge: Forge;
  token: string;
  /** May read only. */
  readToken: string;
  /** A repository with one commit on `main`. */
  createRepository(owner: string, name: string): Promise<{ remoteUrl: string; bareFolder: string }>;
  pullRequests(): { number: number; title: string; body: string | null; draft: boolean; state: string; head: string }[];
  /** How often a pull request was asked to be created, and to be changed. */
  counts(): { created: number; updated: number };
  closePullRequest(number: number): Promise<void>;
  /** `lost...`: the next creation takes place and its answer does not arrive; `cut`: it does not take place. */
  fault(kind: 'lostWithStatus' | 'lostWithoutAnswer' | 'cut' | 'rateLimit' | 'draftUnsupported'): void;
  /** What a hint says of the permission that is missing. */
  permission: RegExp;
  /** What it says of a branch without a commit of its own; undefined where it opens an empty pull request. */
  nothingToMerge: RegExp | undefined;
  close(): Promise<void>;
}

/** What every forge must do. */
export function forgeSuite(name: string, start: () => Promise<ForgeUnderTest>): void {
  describe(`forge contract: ${name}`, () => {
    let forge: Forge;
    let server: ForgeUnderTest;
    let repository: ForgeRepository;
    let remote: { remoteUrl: string; bareFolder: string };
    let folder = '';
    let clone = '';

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-forge-'));
      server = await start();
      forge = server.forge;
      remote = await server.createRepository('acme', 'app');
      const found = forge.match(remote.remoteUrl);
      assert(found);
      repository = found;
      clone = join(folder, 'clone');
      await plainGit(folder, ['clone', '-q', remote.bareFolder, clone]);
    });

    afterEach(async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function commit(text: string): Promise<string> {
      await writeFile(join(clone, 'file.txt'), text);
      await plainGit(clone, ['add', '.']);
      await plainGit(clone, ['commit', '-q', '-m', text]);
      return plainGit(clone, ['rev-parse', 'HEAD']);
    }

    /** Pushes HEAD to a branch as the relay does; `expected` is the lease. */
    async function push(branch: string, expected = '', token = server.token, env: Record<string, string> = {}) {
      const { url, header } = forge.pushCredential(repository, token);
      const ref = `refs/heads/${branch}`;
      await plainGit(clone, ['push', '--porcelain', `--force-with-lease=${ref}:${expected}`, url, `HEAD:${ref}`], {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'http.extraHeader',
        GIT_CONFIG_VALUE_0: header,
        ...env,
      });
    }

    async function pushed(branch: string): Promise<PullRequestRequest> {
      const headCommit = await commit(`work on ${branch}`);
      await push(branch);
      const texts = { title: 'Fix it', body: 'Because.\n\nIt was broken.' };
      return { repository, token: server.token, branch, baseBranch: 'main', headCommit, draft: true, ...texts };
    }

    async function failure(work: Promise<unknown>, code: ErrorCode, token = server.token): Promise<SandpiperError> {
      try {
        await work;
      } catch (error) {
        assert(error instanceof SandpiperError);
        assert.equal(error.code, code, error.message);
        assert(error.hint, 'a failure says what to do');
        const shown = inspect(error, { depth: Infinity, showHidden: true });
        const forms = [
          token,
          Buffer.from(token).toString('base64'),
          forge.pushCredential(repository, server.token).header,
        ];
        assert(!forms.some(form => shown.includes(form)), 'a failure never shows the token');
        return error;
      }
      return assert.fail('it did not fail');
    }

    it('knows its own remotes and the default branch', async () => {
      assert.deepEqual([repository.forge, repository.owner, repository.name], [forge.id, 'acme', 'app']);
      assert.equal(forge.match('https://example.com/acme/app.git'), undefined);
      assert.equal(forge.match(remote.bareFolder), undefined);
      assert.equal(await forge.defaultBranch(repository, server.token), 'main');
    });

    it('pushes over smart HTTP with the header alone, and only where the lease holds', async () => {
      const first = await commit('one');
      await push('work');
      assert.equal(await plainGit(remote.bareFolder, ['rev-parse', 'work']), first);
      const second = await commit('two');
      await assert.rejects(push('work', '0'.repeat(39) + '1'), /failed to push/);
      assert.equal(await plainGit(remote.bareFolder, ['rev-parse', 'work']), first);
      await push('work', first);
      assert.equal(await plainGit(remote.bareFolder, ['rev-parse', 'work']), second);
    });

    it('takes a push that is too large for one piece', async () => {
      await writeFile(join(clone, 'large.bin'), randomBytes(5_000_000));
      const large = await commit('large');
      await push('work');
      assert.equal(await plainGit(remote.bareFolder, ['rev-parse', 'work']), large);
    });

    it('refuses to push without a token, with a wrong one and with one that may only read', async () => {
      await commit('one');
      const url = forge.pushCredential(repository, server.token).url;
      await assert.rejects(
        plainGit(clone, ['push', url, 'HEAD:refs/heads/work']),
        /could not read Username|terminal prompts/,
      );
      await assert.rejects(push('work', '', 'wrong-token'), /403|could not read Username/);
      await assert.rejects(push('work', '', server.readToken), /403/);
      await assert.rejects(plainGit(remote.bareFolder, ['rev-parse', '--verify', 'work']));
    });

    it('keeps the token out of arguments, URLs and configuration', async () => {
      await commit('one');
      const trace = join(folder, 'trace');
      await push('work', '', server.token, { GIT_TRACE: trace, GIT_TRACE_SETUP: trace });
      const seen = (await readFile(trace, 'utf8')) + (await readFile(join(clone, '.git', 'config'), 'utf8'));
      const { url, header } = forge.pushCredential(repository, server.token);
      assert(seen.includes(url), 'the trace shows the arguments');
      assert(!seen.includes(server.token) && !seen.includes(header.split(' ').at(-1) ?? ''));
      assert(!url.includes('@') && !url.includes(server.token));
    });

    it('opens a draft, and finds it again however often it is asked', async () => {
      const request = await pushed('work');
      const first = await forge.openPullRequest(request);
      assert.equal(first.created, true);
      assert.deepEqual(
        { ...first.pullRequest, url: '' },
        {
          forge: forge.id,
          number: 1,
          url: '',
          branch: 'work',
          baseBranch: 'main',
          headCommit: request.headCommit,
          draft: true,
          state: 'open',
        },
      );
      assert(URL.canParse(first.pullRequest.url));
      const again = await forge.openPullRequest(request);
      assert.deepEqual(again, { pullRequest: first.pullRequest, created: false });
      const known = await forge.openPullRequest({ ...request, known: 1 });
      assert.deepEqual(known, again);
      assert.deepEqual(server.counts(), { created: 1, updated: 0 });
      assert.deepEqual(
        server.pullRequests().map(({ title, body, draft }) => ({ title, body, draft })),
        [{ title: request.title, body: request.body, draft: true }],
      );
    });

    it('brings title and body of an adopted pull request up to date', async () => {
      const request = await pushed('work');
      await forge.openPullRequest(request);
      await forge.openPullRequest({ ...request, title: 'Fix it well', body: 'Because of that.' });
      await forge.openPullRequest({ ...request, title: 'Fix it best', known: 1 });
      assert.deepEqual(
        server.pullRequests().map(({ title, body }) => [title, body]),
        [['Fix it best', request.body]],
      );
      assert.deepEqual(server.counts(), { created: 1, updated: 2 });
    });

    it('opens one that is ready for review where that is asked', async () => {
      const request = await pushed('work');
      const { pullRequest } = await forge.openPullRequest({ ...request, draft: false });
      assert.equal(pullRequest.draft, false);
    });

    it('opens another when the known one is closed or gone', async () => {
      const request = await pushed('work');
      await forge.openPullRequest(request);
      await server.closePullRequest(1);
      const second = await forge.openPullRequest({ ...request, known: 1 });
      assert.deepEqual([second.created, second.pullRequest.number], [true, 2]);
      const third = await forge.openPullRequest({ ...request, known: 4711 });
      assert.deepEqual([third.created, third.pullRequest.number], [false, 2]);
    });

    it('keeps the pull requests of different branches and bases apart', async () => {
      const main = await plainGit(clone, ['rev-parse', 'HEAD']);
      await push('release');
      const one = await forge.openPullRequest(await pushed('work'));
      const request = await pushed('work-2');
      const two = await forge.openPullRequest(request);
      const three = await forge.openPullRequest({ ...request, baseBranch: 'release' });
      assert.deepEqual(
        [one, two, three].map(({ created, pullRequest }) => [created, pullRequest.number, pullRequest.baseBranch]),
        [
          [true, 1, 'main'],
          [true, 2, 'main'],
          [true, 3, 'release'],
        ],
      );
      assert.notEqual(main, request.headCommit);
    });

    it('opens an ordinary one where drafts are not supported', async () => {
      const request = await pushed('work');
      server.fault('draftUnsupported');
      const { pullRequest, created } = await forge.openPullRequest(request);
      assert.deepEqual([created, pullRequest.draft], [true, false]);
    });

    it('makes one when two ask at once', async () => {
      const request = await pushed('work');
      const both = await Promise.all([forge.openPullRequest(request), forge.openPullRequest(request)]);
      assert.equal(both.filter(({ created }) => created).length, 1);
      assert.deepEqual(both[0].pullRequest, both[1].pullRequest);
      assert.equal(server.pullRequests().length, 1);
    });

    for (const kind of ['lostWithStatus', 'lostWithoutAnswer'] as const) {
      it(`finds what it created when the answer is ${kind}, and never creates blindly again`, async () => {
        const request = await pushed('work');
        server.fault(kind);
        const { pullRequest, created } = await forge.openPullRequest(request);
        assert.deepEqual([created, pullRequest.number], [true, 1]);
        assert.equal(server.pullRequests().length, 1);
        assert.equal(server.counts().created, 1);
      });
    }

    it('says that it does not know when a creation was cut and nothing is found; asking again is safe', async () => {
      const request = await pushed('work');
      server.fault('cut');
      const error = await failure(forge.openPullRequest(request), 'forge_unreachable');
      assert(error.retryable);
      assert.deepEqual([server.pullRequests().length, server.counts().created], [0, 1]);
      assert.equal((await forge.openPullRequest(request)).created, true);
    });

    it('tells a wrong token, a missing permission and a hidden repository apart', async () => {
      const request = await pushed('work');
      const wrong = 'wrong-token-0123456789';
      await failure(forge.openPullRequest({ ...request, token: wrong }), 'forge_unauthorized', wrong);
      await failure(forge.defaultBranch(repository, wrong), 'forge_unauthorized', wrong);
      await failure(forge.defaultBranch(repository, 'two\nlines'), 'forge_unauthorized', 'two\nlines');
      const { readToken } = server;
      const refused = await failure(
        forge.openPullRequest({ ...request, token: readToken }),
        'forge_refused',
        readToken,
      );
      assert.match(refused.hint ?? '', server.permission);
      const hidden = await failure(
        forge.defaultBranch({ ...repository, name: 'other' }, server.token),
        'forge_unauthorized',
      );
      assert.match(hidden.message, /acme\/other/);
    });

    it("hands on the forge's own reasons", async () => {
      const request = await pushed('work');
      const noBase = await failure(forge.openPullRequest({ ...request, baseBranch: 'gone' }), 'forge_refused');
      assert.match(noBase.message, /base/);
      await failure(forge.openPullRequest({ ...request, branch: 'never-pushed' }), 'forge_refused');
      await push('main', await plainGit(remote.bareFolder, ['rev-parse', 'main']));
      if (server.nothingToMerge) {
        const nothing = await failure(forge.openPullRequest(request), 'forge_refused');
        assert.match(nothing.message, server.nothingToMerge);
      }
      assert.equal(server.pullRequests().length, 0);
    });

    it('waits for nobody when asked to slow down, and says when to come back', async () => {
      server.fault('rateLimit');
      const error = await failure(forge.defaultBranch(repository, server.token), 'forge_unreachable');
      assert.deepEqual([error.retryable, error.details?.['retryAfterMs']], [true, 3000]);
    });

    it('says so when nobody answers', async () => {
      await server.close();
      await failure(forge.defaultBranch(repository, server.token), 'forge_unreachable');
    });

    it('shortens what the forge would not take', async () => {
      const request = await pushed('work');
      await forge.openPullRequest({ ...request, title: 'x'.repeat(1000), body: 'y'.repeat(200_000) });
      const again = await forge.openPullRequest({ ...request, title: 'x'.repeat(1000), body: 'y'.repeat(200_000) });
      assert.equal(again.created, false);
      assert.deepEqual(server.counts(), { created: 1, updated: 0 });
    });
  });
}
