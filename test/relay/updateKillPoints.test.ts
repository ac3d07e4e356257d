import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import {
  beginChange,
  type ForgeClone,
  type ForgeWorkshop,
  idle,
  makeForgeClone,
  openForgeWorkshop,
  withToken,
} from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import { MAIN, temporaryFolder } from '../support/relayProcess.ts';
import { untilStopped } from '../support/stoppedProcess.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;

describe('a relay that is killed while it updates from the base branch', function () {
  this.timeout(180_000);
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const remove of cleanups.splice(0).reverse()) {
      await remove();
    }
  });

  async function open(...of: Parameters<typeof openForgeWorkshop>): Promise<ForgeWorkshop & { clone: ForgeClone }> {
    const forge = await openForgeWorkshop(...of);
    cleanups.push(() => forge.dispose());
    return { ...forge, clone: await makeForgeClone(forge.shop, forge.github, 'killed') };
  }

  /** A session whose pull request is behind its base, and half of whose work is accepted. */
  async function behind({ shop, clone }: { shop: ForgeWorkshop['shop']; clone: ForgeClone }) {
    const command = 'sed -i "1s/.*/# Session/" README.md; echo new > added.txt';
    const id = await beginChange(shop, clone.source, { command });
    const { accepted, proposed } = await shop.client.call('review.list', { sessionId: id });
    await shop.client.call('review.decide', {
      sessionId: id,
      verdict: 'accept',
      files: [{ path: 'README.md' }],
      expected: { accepted, proposed },
    });
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id, from: 'all' });
    await writeFile(join(clone.source, 'base.txt'), 'base\n');
    await plainGit(clone.source, ['add', '.']);
    await plainGit(clone.source, ['commit', '-qm', 'Of the base']);
    await plainGit(clone.source, ['push', '-q', clone.bare, 'HEAD:main']);
    return { id, branch: pullRequest.branch, tip: await plainGit(clone.source, ['rev-parse', 'HEAD']) };
  }

  async function check(
    { shop, clone }: { shop: ForgeWorkshop['shop']; clone: ForgeClone },
    { id, branch, tip }: { id: string; branch: string; tip: string },
  ): Promise<void> {
    const state = await shop.until(id, 'the update', ({ updating, base }) => !updating && base === tip, 40_000);
    assert.ok(idle(1)(state));
    const events = await shop.events(id);
    const count = (type: string) => events.filter(({ body }) => body.type === type).length;
    assert.deepEqual([count('baseUpdateStarted'), count('baseUpdated'), count('sessionBlocked')], [1, 1, 0]);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    const { files, review } = await shop.client.call('review.list', { sessionId: id });
    assert.deepEqual(
      files.map(({ path }) => path),
      ['added.txt'],
    );
    assert.equal(review.reviewed, 1);
    const workspace = await shop.workspace(id);
    assert.equal(await readFile(join(workspace, 'base.txt'), 'utf8'), 'base\n');
    assert.match(await readFile(join(workspace, 'README.md'), 'utf8'), /^# Session\n/);
    await plainGit(clone.bare, ['merge-base', '--is-ancestor', tip, branch]);
    assert.equal(await plainGit(clone.bare, ['diff', '--name-only', `main...${branch}`]), 'README.md\nadded.txt');
    assert.equal(await plainGit(clone.bare, ['rev-list', '--count', '--merges', branch]), '1');
    assert.equal(state.pullRequest?.headCommit, await plainGit(clone.bare, ['rev-parse', branch]));
    assert.equal((await shop.client.call('pullRequest.updateFromBase', { sessionId: id })).updated, false);
  }

  for (const point of ['saving', 'placing', 'placed']) {
    it(`goes on at "${point}", and the repeat of the call pushes`, async () => {
      const scratch = await temporaryFolder();
      cleanups.push(() => scratch.remove());
      const go = join(scratch.path, 'go');
      const forge = await open(
        github => ({ ...withToken(github), TEST_STOP_AT: point, TEST_STOP_UNTIL: go }),
        ['--import', STOP_AT, MAIN],
      );
      const { shop } = forge;
      const session = await behind(forge);
      const updating = shop.client.call('pullRequest.updateFromBase', { sessionId: session.id });
      await untilStopped(shop.relay.pid ?? 0);
      await shop.relay.stop('SIGKILL');
      await writeFile(go, '');
      await shop.relay.start();
      assert.equal((await updating).updated, true);
      await check(forge, session);
    });
  }

  for (const hook of ['pre-receive', 'post-receive']) {
    it(`pushes once when it dies in the push, ${hook === 'pre-receive' ? 'before' : 'after'} it arrived`, async () => {
      const forge = await open(withToken);
      const { shop, clone } = forge;
      const session = await behind(forge);
      const script = join(clone.bare, 'hooks', hook);
      await writeFile(script, `#!/bin/sh\nkill -9 ${shop.relay.pid}\nexit 1\n`, { mode: 0o755 });
      const updating = shop.client.call('pullRequest.updateFromBase', { sessionId: session.id });
      await shop.relay.ended();
      await rm(script);
      await shop.relay.start();
      await updating;
      await check(forge, session);
    });
  }
});
