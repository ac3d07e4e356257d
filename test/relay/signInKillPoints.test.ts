import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { eventually } from '../support/eventually.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import { beginChange, makeForgeClone } from '../support/landing.ts';
import { rejects } from '../support/rejects.ts';
import { MAIN } from '../support/relayProcess.ts';
import { isStopped, untilStopped } from '../support/stoppedProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;

describe('a sign-in whose token is renewed, and a relay that is killed', function () {
  this.timeout(180_000);
  let github: GithubServer;
  let shop: Workshop;

  beforeEach(async () => {
    github = await startGithubServer();
    // Four minutes are too little to begin something with: whatever wants a token has another one made.
    github.signIns.options = { intervalMs: 10, codeMs: 900_000, tokenMs: 240_000 };
  });
  afterEach(async () => {
    if (shop?.relay.pid !== undefined && (await isStopped(shop.relay.pid))) {
      await shop.relay.stop('SIGKILL');
    }
    await shop?.dispose();
    await github.close();
    assert.deepEqual(github.violations(), []);
  });

  async function signIn(): Promise<void> {
    const { host, signIns } = github;
    const { id, userCode } = await shop.client.call('forge.signIn', { host, clientId: signIns.clientId });
    signIns.enter(userCode, 'approved');
    await eventually(async () => {
      assert.equal((await shop.client.call('forge.signInState', { id })).state, 'signedIn');
    });
  }

  /** Begins a landing, and kills the relay where that has come to; another relay answers it. */
  async function landAndKill(point: 'renew' | 'renewed') {
    shop = await openWorkshop(
      {
        SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
        SANDPIPER_LEASE_MS: '1000',
        TEST_STOP_AT: point,
      },
      ['--import', STOP_AT, MAIN],
    );
    const sessionId = await beginChange(shop, (await makeForgeClone(shop, github, 'app')).source);
    await signIn();
    const landing = shop.client.call('pullRequest.open', { sessionId }, { timeoutMs: 90_000 }).then(
      ({ pullRequest }) => ({ pullRequest }),
      (error: unknown) => ({ error }),
    );
    assert.ok(shop.relay.pid !== undefined);
    await untilStopped(shop.relay.pid);
    await shop.relay.stop('SIGKILL');
    await shop.another().start();
    return { sessionId, landed: await landing };
  }

  it('lands with the sign-in when the request had not left', async () => {
    const { landed } = await landAndKill('renew');
    assert.ok('pullRequest' in landed, JSON.stringify(landed));
    assert.equal(github.pullRequests().length, 1);
  });

  it('says to sign in again when GitHub had answered and nothing was stored, and lands after that', async () => {
    const { sessionId, landed } = await landAndKill('renewed');
    assert.ok('error' in landed, JSON.stringify(landed));
    const error = await rejects(Promise.reject(landed.error), 'forge_unauthorized');
    assert.equal(error.message, `The sign-in to ${github.host} has ended.`);
    assert.equal(error.hint, `Run \`sandpiper login ${github.host}\`.`);
    const { checks } = await shop.client.call('relay.checks', {});
    assert.equal(checks.find(({ name }) => name === `forge ${github.host}`)?.status, 'warning');
    await signIn();
    await shop.client.call('pullRequest.open', { sessionId });
    assert.equal(github.pullRequests().length, 1);
  });
});
