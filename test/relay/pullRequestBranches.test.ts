import assert from 'node:assert/strict';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { CallResult } from '../../protocol/calls.ts';
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

describe('the branches of a pull request', function () {
  this.timeout(60_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let clone: ForgeClone;
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop(withToken);
    ({ github, shop } = forge);
  });
  beforeEach(async () => {
    clone = await makeForgeClone(shop, github, `branches-${++repositories}`);
  });
  after(() => forge?.dispose());

  const open = (sessionId: string, more: { branch?: string; withTheirs?: boolean } = {}) =>
    shop.client.call('pullRequest.open', { sessionId, ...more });
  const onForge = (args: string[]) => plainGit(clone.bare, args);
  const show = (branch: string, path: string) => onForge(['show', `${branch}:${path}`]);

  /** Puts a commit with this text in this file on the branch, as a colleague's push would. */
  async function theyPush(branch: string, path: string, text: string): Promise<string> {
    const elsewhere = `${clone.source}-theirs`;
    await plainGit(shop.folder, ['clone', '-q', '-b', branch, clone.bare, elsewhere]);
    await appendFile(join(elsewhere, path), `${text}\n`);
    await plainGit(elsewhere, ['add', '.']);
    await plainGit(elsewhere, ['commit', '-qm', 'Their fix']);
    await plainGit(elsewhere, ['push', '-q', clone.bare, `HEAD:refs/heads/${branch}`]);
    await rm(elsewhere, { recursive: true });
    return onForge(['rev-parse', branch]);
  }

  async function landed(): Promise<{ id: string; first: CallResult<'pullRequest.open'>; branch: string }> {
    const id = await beginChange(shop, clone.source);
    const first = await open(id);
    return { id, first, branch: first.pullRequest.branch };
  }

  async function workOn(id: string, turns: number, command = 'echo more >> added.txt'): Promise<void> {
    await shop.send(id, bash(command));
    await shop.until(id, `turn ${turns}`, idle(turns));
  }

  it('go into the branch that the session started from, not into the one that is checked out', async () => {
    await plainGit(clone.source, ['branch', 'other']);
    await plainGit(clone.source, ['push', '-q', clone.bare, 'other']);
    const { pullRequest } = await open(await beginChange(shop, clone.source, { base: 'other' }));
    assert.equal(pullRequest.baseBranch, 'other');
  });

  it('are never pushed over: what others did is named, with the ways out', async () => {
    const { id, branch } = await landed();
    const theirs = await theyPush(branch, 'theirs.txt', 'theirs');
    await workOn(id, 2);
    await assert.rejects(open(id), (error: { code?: string; message?: string; hint?: string; details?: object }) => {
      assert.equal(error.code, 'conflict');
      assert.match(error.message ?? '', /1 commit of others: "Their fix" by Test/);
      assert.ok(error.hint?.includes(`${branch}-2`));
      assert.deepEqual(error.details, { branch, suggestedBranch: `${branch}-2`, mayKeepTheirs: true });
      return true;
    });
    const { code, stderr } = await new Cli(shop.dataFolder).run(['pr', id]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`sandpiper pr ${id} --with-theirs`), stderr);
    assert.equal(await onForge(['rev-parse', branch]), theirs);
  });

  it('keep what others did when asked, again and again, and the log says so', async () => {
    const { id, first, branch } = await landed();
    const theirs = await theyPush(branch, 'theirs.txt', 'theirs');
    await workOn(id, 2);
    const second = await open(id, { withTheirs: true });
    assert.equal(second.pullRequest.number, first.pullRequest.number);
    await onForge(['merge-base', '--is-ancestor', theirs, branch]);
    assert.equal(await show(branch, 'theirs.txt'), 'theirs');
    assert.equal(await show(branch, 'added.txt'), 'new\nmore');
    const notices = (await shop.events(id)).flatMap(({ body }) => (body.type === 'noticeRaised' ? [body.text] : []));
    assert.ok(notices.some(text => text.includes('"Their fix" by Test')));

    assert.equal((await open(id)).pullRequest.headCommit, second.pullRequest.headCommit, 'nothing new, nothing pushed');
    await workOn(id, 3, 'echo still more >> added.txt');
    await open(id);
    assert.equal(await show(branch, 'theirs.txt'), 'theirs', 'the session’s files do not take theirs away');
    assert.equal(await show(branch, 'added.txt'), 'new\nmore\nstill more');
    await theyPush(branch, 'theirs.txt', 'again');
    await workOn(id, 4, 'echo last >> added.txt');
    await assert.rejects(open(id), { code: 'conflict' });
    await open(id, { withTheirs: true });
    assert.equal(await show(branch, 'theirs.txt'), 'theirs\nagain');
    assert.equal(await show(branch, 'added.txt'), 'new\nmore\nstill more\nlast');
  });

  it('say which files cannot be merged, and push nothing', async () => {
    const { id, branch } = await landed();
    const theirs = await theyPush(branch, 'added.txt', 'theirs');
    await workOn(id, 2);
    await assert.rejects(open(id, { withTheirs: true }), { code: 'conflict', message: /both change added\.txt/ });
    assert.equal(await onForge(['rev-parse', branch]), theirs);
  });

  it('may be another one, with a pull request of its own', async () => {
    const { id, first, branch } = await landed();
    const theirs = await theyPush(branch, 'theirs.txt', 'theirs');
    await workOn(id, 2);
    const second = await open(id, { branch: `${branch}-2` });
    assert.equal(second.created, true);
    assert.notEqual(second.pullRequest.number, first.pullRequest.number);
    assert.equal(await show(`${branch}-2`, 'added.txt'), 'new\nmore');
    assert.equal(await onForge(['rev-parse', branch]), theirs);
    assert.equal((await open(id)).pullRequest.number, second.pullRequest.number, 'it stays on the new branch');
  });

  it('need no question when the session has nothing to add to what others did', async () => {
    const { id, first, branch } = await landed();
    const theirs = await theyPush(branch, 'theirs.txt', 'theirs');
    const again = await open(id);
    assert.equal(again.pullRequest.number, first.pullRequest.number);
    assert.equal(again.pullRequest.headCommit, theirs);
  });
});
