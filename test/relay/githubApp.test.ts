import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import type { StepInput } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { rejects } from '../support/rejects.ts';
import { deliver, WEBHOOK_SECRET } from '../support/webhooks.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === 1;
const SCRIPT: StepInput[] = [
  { tool: 'Bash', input: { command: 'env; git config --list; echo new > added.txt' } },
  { text: 'Done.' },
];

describe('a relay that works as a GitHub App', function () {
  this.timeout(90_000);
  let github: GithubServer;
  let shop: Workshop;
  let keys: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async () => {
    github = await startGithubServer();
    keys = await temporaryFolder();
    const keyFile = join(keys.path, 'app.pem');
    await writeFile(keyFile, github.app.privateKey, { mode: 0o600 });
    shop = await openWorkshop({
      SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
      SANDPIPER_GITHUB_APP_ID: String(github.app.appId),
      SANDPIPER_GITHUB_APP_KEY_FILE: keyFile,
      SANDPIPER_GITHUB_APP_HOST: github.host,
      SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET,
    });
  });
  after(async () => {
    await shop?.dispose();
    await github?.close();
    await keys?.remove();
  });

  const repository = async (name: string, install = true) => {
    const made = await github.createRepository('acme', name, { from: shop.repository });
    if (install) {
      github.app.install({ owner: 'acme', name });
    }
    return made;
  };
  const permissions = () => [...github.app.minted.values()].map(minted => minted.permissions);

  it('reads a private repository and opens a pull request, each with a token for that alone', async () => {
    const { cloneUrl, bareFolder } = await repository('app');
    const id = await shop.begin(SCRIPT, { source: cloneUrl });
    const state = await shop.until(id, 'its turn', idle, 40_000);
    for (const asked of permissions()) {
      assert.deepEqual(asked, { contents: 'read', metadata: 'read' });
    }
    const tokens = [...github.app.minted.keys()];
    assert.ok(tokens.length > 0);
    const output = state.items.find(item => item.kind === 'tool')?.output?.text ?? '';
    assert.match(output, /HOME=/);
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
    assert.equal(await plainGit(bareFolder, ['show', `${pullRequest.branch}:added.txt`]), 'new');
    // How it stands on GitHub may have been looked at by now, with a token of its own.
    const forLanding = permissions().filter(({ contents }) => contents === 'write');
    assert.ok(forLanding.length > 0);
    for (const asked of forLanding) {
      assert.deepEqual(asked, { contents: 'write', pull_requests: 'write', metadata: 'read' });
    }
    const log = JSON.stringify(await shop.events(id)) + shop.relay.log + output;
    for (const token of github.app.minted.keys()) {
      assert.equal(log.includes(token), false);
    }
    assert.equal(log.includes('PRIVATE KEY'), false);
    assert.deepEqual(github.violations(), []);
  });

  it('says where it is not installed, and what it may not do', async () => {
    const { cloneUrl } = await repository('other', false);
    const refused = await rejects(shop.begin(SCRIPT, { source: cloneUrl }), 'forge_unauthorized');
    assert.match(refused.message, /The GitHub App is not installed on acme\/other/);
    github.app.install({ owner: 'acme', name: 'other' });
    github.app.granted['contents'] = 'read';
    try {
      const id = await shop.begin(SCRIPT, { source: cloneUrl });
      await shop.until(id, 'its turn', idle, 40_000);
      const denied = await rejects(shop.client.call('pullRequest.open', { sessionId: id }), 'forge_unauthorized');
      assert.match(denied.message, /permissions requested are not granted/);
      assert.match(denied.hint ?? '', /contents: write, pull requests: write/);
    } finally {
      github.app.granted['contents'] = 'write';
    }
  });

  it('uses no token of an installation that was taken away, and goes on when it is back', async () => {
    const { cloneUrl } = await repository('gone');
    const id = await shop.begin(SCRIPT, { source: cloneUrl });
    await shop.until(id, 'its turn', idle, 40_000);
    github.app.uninstall({ owner: 'acme', name: 'gone' });
    const refused = await rejects(shop.client.call('pullRequest.open', { sessionId: id }), 'forge_unauthorized');
    assert.match(refused.message, /not installed on acme\/gone/);
    github.app.install({ owner: 'acme', name: 'gone' });
    assert.ok((await shop.client.call('pullRequest.open', { sessionId: id })).pullRequest.url);
  });

  it('works on an issue that a webhook tells of', async () => {
    const { cloneUrl } = await repository('hooked');
    const name = `${github.host}/acme/hooked`;
    await shop.client.call('hooks.connect', { repository: name, source: cloneUrl });
    const { talk, hooks } = github.people('acme', 'hooked');
    talk.permissions.set('alice', 'write');
    const body = `Please @@${JSON.stringify(SCRIPT)}`;
    const number = github.openIssue('acme', 'hooked', { title: 'Add a file', body, by: 'alice' });
    const { event, payload } = hooks.labelled(number, 'sandpiper', 'alice');
    const { id } = await deliver(shop.relay, event, payload);
    await eventually(async () => {
      const { delivery } = await shop.client.call('hooks.show', { id });
      const { request } = await shop.client.call('hooks.show', { id: delivery?.request ?? 'none' });
      assert.equal(request?.state, 'done', JSON.stringify([delivery, request]));
    }, 60_000);
    assert.match(talk.said(number).at(-1) ?? '', /^Opened #/);
    assert.deepEqual(github.violations(), []);
  });
});
