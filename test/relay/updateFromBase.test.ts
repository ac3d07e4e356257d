import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'mocha';
import { POLICY_PATH } from '../../protocol/policy.ts';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import type { GithubServer } from '../support/githubServer.ts';
import {
  bash,
  beginChange,
  type ForgeClone,
  type ForgeWorkshop,
  idle,
  makeForgeClone,
  openForgeWorkshop,
  withToken,
} from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import type { Workshop } from '../support/workshop.ts';

/** What a session does: line one of the README, line one of a script, and a file of its own. */
const WORK = 'sed -i "1s/.*/# Session/" README.md; sed -i "1s/.*/#!sh/" test.sh; echo new > added.txt';

describe('an update from the base branch', function () {
  this.timeout(120_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let clone: ForgeClone;
  let name = '';
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop(withToken);
    ({ github, shop } = forge);
  });
  beforeEach(async () => {
    name = `updated-${++repositories}`;
    clone = await makeForgeClone(shop, github, name);
  });
  after(() => forge?.dispose());

  const update = (sessionId: string) => shop.client.call('pullRequest.updateFromBase', { sessionId });
  const get = (sessionId: string): Promise<SessionState> => shop.client.call('session.get', { sessionId });
  const onForge = (args: string[]) => plainGit(clone.bare, args);
  const show = (branch: string, path: string) => onForge(['show', `${branch}:${path}`]);
  const changed = (branch: string) => onForge(['diff', '--name-only', `main...${branch}`]);
  const list = (sessionId: string) => shop.client.call('review.list', { sessionId });
  const text = async (sessionId: string, side: 'base' | 'accepted' | 'proposed', path: string) =>
    (await shop.client.call('changes.file', { sessionId, side, path })).content;
  const inSandbox = async (id: string, path: string) => readFile(join(await shop.workspace(id), path), 'utf8');

  /** Runs a command in a clone of a branch on the forge and pushes what it changed. */
  async function push(branch: string, command: string): Promise<string> {
    const elsewhere = `${clone.source}-theirs`;
    await plainGit(shop.folder, ['clone', '-q', '-b', branch, clone.bare, elsewhere]);
    await plainGit(elsewhere, ['-c', `alias.do=!${command}`, 'do']);
    await plainGit(elsewhere, ['add', '.']);
    await plainGit(elsewhere, ['commit', '-q', '--allow-empty', '-m', 'Their work']);
    await plainGit(elsewhere, ['push', '-q', clone.bare, `HEAD:refs/heads/${branch}`]);
    await rm(elsewhere, { recursive: true });
    return onForge(['rev-parse', branch]);
  }
  const moveBase = () => push('main', 'echo base > base.txt; echo "Of the base." >> README.md');

  async function decide(id: string, verdict: 'accept' | 'reject', path: string): Promise<void> {
    const { accepted, proposed } = await list(id);
    const expected = { accepted, proposed };
    await shop.client.call('review.decide', { sessionId: id, verdict, files: [{ path }], expected });
  }

  /** A session with a pull request that has its work: the README is accepted, the script rejected, the file open. */
  async function opened(): Promise<{ id: string; branch: string }> {
    const id = await beginChange(shop, clone.source, { command: WORK });
    await decide(id, 'accept', 'README.md');
    await decide(id, 'reject', 'test.sh');
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id, from: 'all' });
    return { id, branch: pullRequest.branch };
  }

  async function checkUpdated(id: string, branch: string, tip: string): Promise<void> {
    await onForge(['merge-base', '--is-ancestor', tip, branch]);
    assert.equal(await changed(branch), 'README.md\nadded.txt');
    assert.equal(await show(branch, 'base.txt'), 'base');
    const state = await get(id);
    assert.equal(state.base, tip);
    assert.equal(state.pullRequest?.headCommit, await onForge(['rev-parse', branch]));
    const { files, review } = await list(id);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['added.txt'],
    );
    assert.deepEqual(review, { pendingFiles: 1, pending: 1, reviewed: 2 });
    assert.match((await text(id, 'accepted', 'README.md')) ?? '', /^# Session\n[^]*Of the base\.\n$/);
    assert.equal(await inSandbox(id, 'base.txt'), 'base\n');
    assert.match(await inSandbox(id, 'test.sh'), /^#!sh\n/, 'what is rejected is still the agent’s');
  }

  it('is in the review, the sandbox and the pull request, and is nothing to review', async () => {
    const { id, branch } = await opened();
    const before = await list(id);
    const tip = await moveBase();
    const done = await update(id);
    assert.equal(done.updated, true);
    assert.equal(done.base, tip);
    assert.deepEqual((await list(id)).files, before.files);
    await checkUpdated(id, branch, tip);
    const { diff } = await shop.client.call('changes.diff', { sessionId: id, from: 'base', to: 'proposed' });
    assert.doesNotMatch(diff, /base\.txt|^\+Of the base/m);
    const { pullRequest } = await shop.client.call('pullRequest.look', { sessionId: id });
    assert.equal(pullRequest.status?.conflicts, false);
    assert.equal(pullRequest.status.behind ?? 0, 0);
    assert.deepEqual(github.violations(), []);

    const { seq } = await get(id);
    const head = await onForge(['rev-parse', branch]);
    const again = await new Cli(shop.dataFolder).run(['pr', id, 'update']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /had all of main already/);
    assert.equal((await get(id)).seq, seq);
    assert.equal(await onForge(['rev-parse', branch]), head);

    // What was decided can be taken back, and the next turn goes on from both.
    await shop.client.call('review.undo', { sessionId: id });
    assert.match((await text(id, 'proposed', 'test.sh')) ?? '', /^#!sh\n/);
    assert.equal(await text(id, 'proposed', 'base.txt'), 'base\n');
    await shop.send(id, bash('cat base.txt > copy.txt'));
    const state = await shop.until(id, 'another turn', idle(2));
    assert.deepEqual(
      (await list(id)).files.map(({ path }) => path),
      ['added.txt', 'copy.txt', 'test.sh'],
    );
    assert.equal(state.stats.files, 4);
    await shop.client.call('pullRequest.open', { sessionId: id, from: 'all' });
    assert.equal(await changed(branch), 'README.md\nadded.txt\ncopy.txt\ntest.sh');
    assert.equal(await show(branch, 'base.txt'), 'base');
  });

  it('comes again and again, also by the command line, and takes later work of the session nowhere', async () => {
    const { id, branch } = await opened();
    await moveBase();
    await update(id);
    await shop.send(id, bash('echo later > later.txt'));
    await shop.until(id, 'another turn', idle(2));
    const tip = await push('main', 'echo more > more.txt');
    const run = await new Cli(shop.dataFolder).run(['pr', id, 'update', '--json']);
    assert.equal(run.code, 0, run.stderr);
    await onForge(['merge-base', '--is-ancestor', tip, branch]);
    assert.equal(await changed(branch), 'README.md\nadded.txt', 'what was not pushed before is not pushed');
    assert.equal(await text(id, 'proposed', 'more.txt'), 'more\n');
    assert.equal(await text(id, 'proposed', 'later.txt'), 'later\n');
  });

  it('changes nothing where it cannot be merged, and names the files', async () => {
    const { id, branch } = await opened();
    await push('main', 'sed -i "1s/.*/# Base/" README.md; echo base > base.txt');
    const before = await get(id);
    const head = await onForge(['rev-parse', branch]);
    await assert.rejects(update(id), (error: { code?: string; message?: string; details?: object }) => {
      assert.equal(error.code, 'conflict');
      assert.match(error.message ?? '', /main and this session change the same lines of README\.md/);
      assert.deepEqual(error.details, { files: ['README.md'] });
      return true;
    });
    assert.deepEqual(await get(id), before);
    assert.equal(await onForge(['rev-parse', branch]), head);
    await assert.rejects(inSandbox(id, 'base.txt'));
  });

  it('leaves a session that goes on beside a conflict which somebody merged by hand', async () => {
    const { id, branch } = await opened();
    const tip = await push('main', 'sed -i "1s/.*/# Base/" README.md');
    await assert.rejects(update(id), { code: 'conflict' });
    await push(branch, `git fetch -q ${clone.bare} main && git merge -q -X ours --no-edit FETCH_HEAD`);
    const { pullRequest } = await shop.client.call('pullRequest.look', { sessionId: id });
    assert.deepEqual([pullRequest.status?.conflicts, pullRequest.status?.behind ?? 0], [false, 0]);
    await shop.send(id, bash('echo later > later.txt'));
    await shop.until(id, 'another turn', idle(2));
    await shop.client.call('pullRequest.open', { sessionId: id, from: 'all', withTheirs: true });
    await onForge(['merge-base', '--is-ancestor', tip, branch]);
    assert.equal(await changed(branch), 'README.md\nadded.txt\nlater.txt');
    assert.match(await show(branch, 'README.md'), /^# Session\n/);
  });

  it('keeps work in the sandbox that no checkpoint has, and changes nothing where that cannot be merged', async () => {
    const { id, branch } = await opened();
    const workspace = await shop.workspace(id);
    await writeFile(join(workspace, 'aside.txt'), 'aside\n');
    const tip = await moveBase();
    await update(id);
    await checkUpdated(id, branch, tip);
    assert.equal(await inSandbox(id, 'aside.txt'), 'aside\n');
    await writeFile(join(workspace, 'base.txt'), 'mine\n');
    await push('main', 'echo theirs > base.txt');
    const { base, proposed } = await get(id);
    await assert.rejects(update(id), { code: 'conflict', message: /same lines of base\.txt/ });
    const now = await get(id);
    assert.deepEqual([now.base, now.proposed, now.updating], [base, proposed, undefined]);
    assert.equal(await inSandbox(id, 'base.txt'), 'mine\n');
    await shop.send(id, bash('true'));
    await shop.until(id, 'another turn', idle(2));
    assert.equal(await text(id, 'proposed', 'aside.txt'), 'aside\n');
    assert.equal(await text(id, 'proposed', 'base.txt'), 'mine\n');
  });

  it('is refused while the agent works, without a pull request, and when that is over', async () => {
    const id = await beginChange(shop, clone.source, { command: WORK });
    await assert.rejects(update(id), { code: 'not_found' });
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
    await moveBase();
    await shop.send(id, bash('while [ ! -e go ]; do sleep 0.05; done'));
    await shop.until(id, 'a tool that runs', ({ items }) =>
      items.some(item => item.kind === 'tool' && item.state === 'running'),
    );
    await assert.rejects(update(id), { code: 'conflict', message: 'The agent is at work.' });
    await writeFile(join(await shop.workspace(id), 'go'), '');
    await shop.until(id, 'the end of the turn', idle(2));
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    await assert.rejects(update(id), { code: 'conflict', message: 'This session is archived.' });
    await shop.client.call('session.archive', { sessionId: id, archived: false });
    github.merge('owner', name, pullRequest.number);
    await shop.client.call('pullRequest.look', { sessionId: id });
    await assert.rejects(update(id), { code: 'conflict', message: /is merged/ });
  });

  it('keeps what others pushed, and pushes nothing where they merged the base in themselves', async () => {
    const { id, branch } = await opened();
    const theirs = await push(branch, 'echo theirs > theirs.txt');
    const tip = await moveBase();
    await update(id);
    await onForge(['merge-base', '--is-ancestor', theirs, branch]);
    await onForge(['merge-base', '--is-ancestor', tip, branch]);
    assert.equal(await changed(branch), 'README.md\nadded.txt\ntheirs.txt');
    assert.equal(await text(id, 'proposed', 'base.txt'), 'base\n');
    const second = await push('main', 'echo more > more.txt');
    const merged = await push(branch, `git fetch -q ${clone.bare} main && git merge -q --no-edit FETCH_HEAD`);
    await update(id);
    assert.equal(await onForge(['rev-parse', branch]), merged);
    assert.equal((await get(id)).base, second);
    assert.equal(await text(id, 'proposed', 'more.txt'), 'more\n');
    // The session's line goes on beside theirs.
    await shop.send(id, bash('echo later > later.txt'));
    await shop.until(id, 'another turn', idle(2));
    await shop.client.call('pullRequest.open', { sessionId: id, from: 'all', withTheirs: true });
    assert.equal(await changed(branch), 'README.md\nadded.txt\nlater.txt\ntheirs.txt');
  });

  it('changes nothing where what others pushed cannot be merged with it', async () => {
    const { id, branch } = await opened();
    const theirs = await push(branch, 'echo theirs > base.txt');
    await moveBase();
    const { seq } = await get(id);
    await assert.rejects(update(id), { code: 'conflict', message: /both change base\.txt/ });
    assert.equal(await onForge(['rev-parse', branch]), theirs);
    assert.equal((await get(id)).seq, seq);
  });

  it('keeps to the policy of the base as it is now, before anything is changed and before what is left is pushed', async () => {
    const { id, branch } = await opened();
    const declare = (policy: object) =>
      push('main', `mkdir -p .sandpiper; echo '${JSON.stringify({ version: 1, ...policy })}' > ${POLICY_PATH}`);
    const refused = { code: 'policy_refused', message: /added\.txt: Nothing may change here/ };
    await moveBase();
    await declare({ paths: { deny: ['added.txt'] } });
    const before = await get(id);
    const head = await onForge(['rev-parse', branch]);
    await assert.rejects(update(id), refused);
    assert.deepEqual(await get(id), before);
    assert.equal(await onForge(['rev-parse', branch]), head);
    await assert.rejects(inSandbox(id, 'base.txt'));

    // What the base changed counts as nobody's work, also in a file that the session changed and somebody accepted.
    const allowed = { sensitive: ['README.md', 'base.txt'], limits: { files: 2 }, review: { fraction: 0.5 } };
    await declare(allowed);
    const hook = join(clone.bare, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\necho not now >&2\nexit 1\n', { mode: 0o755 });
    await assert.rejects(update(id), { code: 'forge_refused' });
    await rm(hook);
    await declare({ paths: { deny: ['added.txt'] } });
    await assert.rejects(update(id), refused);
    assert.equal(await onForge(['rev-parse', branch]), head);
    await checkUpdated(id, branch, await declare(allowed).then(async tip => (await update(id), tip)));
  });

  it('stays when an earlier turn is restored', async () => {
    const { id } = await opened();
    await moveBase();
    await update(id);
    await shop.send(id, bash('echo later > later.txt'));
    await shop.until(id, 'another turn', idle(2));
    for (const [turn, files] of [
      [1, ['added.txt', 'test.sh']],
      [0, []],
    ] as const) {
      const { restore } = await shop.client.call('checkpoint.restore', {
        sessionId: id,
        turn,
        code: true,
        conversation: false,
      });
      const state = await shop.until(id, 'the restore', ({ restores }) => restores?.at(-1)?.seq === restore);
      assert.equal(await inSandbox(id, 'base.txt'), 'base\n');
      const { diff } = await shop.client.call('changes.diff', { sessionId: id, from: 'base', to: 'proposed' });
      assert.doesNotMatch(diff, /base\.txt/, `turn ${turn}`);
      assert.equal(state.pullRequest?.state, 'open');
      for (const path of files) {
        assert.ok(await inSandbox(id, path));
      }
    }
  });

  it('leaves uncommitted work that the session was begun with where it is', async () => {
    await writeFile(join(clone.source, 'mine.txt'), 'mine\n');
    const id = await shop.begin(bash(WORK), { source: clone.source, title: 'Add', includeUncommitted: true });
    await shop.until(id, 'one turn', idle(1));
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
    const before = await changed(pullRequest.branch);
    const tip = await moveBase();
    await update(id);
    await onForge(['merge-base', '--is-ancestor', tip, pullRequest.branch]);
    assert.equal(await changed(pullRequest.branch), before);
    assert.equal(await text(id, 'base', 'mine.txt'), 'mine\n');
    assert.equal(await text(id, 'base', 'base.txt'), 'base\n');
    assert.equal((await update(id)).updated, false);
  });

  for (const next of ['update', 'landing'] as const) {
    it(`is pushed by the next ${next} when the push did not arrive`, async () => {
      const { id, branch } = await opened();
      const head = await onForge(['rev-parse', branch]);
      const tip = await moveBase();
      const hook = join(clone.bare, 'hooks/pre-receive');
      await writeFile(hook, '#!/bin/sh\necho not now >&2\nexit 1\n', { mode: 0o755 });
      await assert.rejects(update(id), { code: 'forge_refused' });
      assert.equal(await onForge(['rev-parse', branch]), head);
      assert.equal((await get(id)).base, tip);
      await rm(hook);
      if (next === 'landing') {
        await shop.client.call('pullRequest.open', { sessionId: id, from: 'all' });
      }
      assert.equal((await update(id)).updated, next === 'update');
      await checkUpdated(id, branch, tip);
    });
  }
});
