import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { GithubClients } from '../../server/src/forges/github/githubClients.ts';
import { GithubOauth } from '../../server/src/forges/github/oauth.ts';
import { GithubSignIns, type GithubSignInsOptions } from '../../server/src/forges/github/githubSignIns.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';

const MINUTE = 60_000;
const TOKEN = 'login/oauth/access_token';

describe('the sign-ins of a relay', function () {
  this.timeout(20_000);
  let github: GithubServer;
  let oauth: GithubOauth;
  let now: number;
  let kept: string | undefined;
  let key: Buffer;
  let held: Map<string, string | undefined>;
  let confirm: GithubSignInsOptions['confirm'];

  beforeEach(async () => {
    github = await startGithubServer();
    github.signIns.options = { intervalMs: 1, codeMs: MINUTE, tokenMs: 8 * 60 * MINUTE };
    oauth = new GithubOauth({ webUrl: github.url, apiUrl: github.apiUrl, fetch });
    now = Date.now();
    kept = undefined;
    key = randomBytes(32);
    held = new Map();
    confirm = () => Promise.resolve();
  });
  afterEach(async () => {
    assert.deepEqual(github.violations(), []);
    await github.close();
  });

  const open = (more: Partial<GithubSignInsOptions> = {}) =>
    GithubSignIns.open({
      oauth: () => oauth,
      kept: { read: () => Promise.resolve(kept), write: async sealed => void (kept = sealed) },
      key: () => Promise.resolve(key),
      log: silentLogger,
      onToken: (use, token) => held.set(use, token),
      confirm: () => confirm(),
      now: () => now,
      ...more,
    });
  const place = () => ({ host: github.host });
  const asked = () => github.requests().filter(({ path }) => path === `/${TOKEN}`).length;

  /** A person who enters the code. */
  async function signIn(signIns: GithubSignIns): Promise<void> {
    const code = await oauth.deviceCode(github.signIns.clientId);
    assert.ok(code.kind === 'given');
    github.signIns.enter(code.given.userCode, 'approved');
    const grant = await eventually(async () => {
      const answer = await oauth.tokenOfCode(github.signIns.clientId, code.given.deviceCode);
      assert.ok(answer.kind === 'given');
      return answer.given;
    });
    const login = await oauth.loginOf(grant.token);
    await signIns.add({ host: github.host, clientId: github.signIns.clientId, login }, grant);
  }

  it('are there after a restart, and sealed in between', async () => {
    const signIns = await open();
    assert.equal(await signIns.tokenFor(place()), undefined);
    await signIn(signIns);
    const token = await signIns.tokenFor(place());
    assert.equal(token, github.signIns.current);
    assert.equal(
      github.signIns.given.some(one => kept?.includes(one)),
      false,
    );
    assert.deepEqual([...held.values()], github.signIns.given);
    const again = await open();
    assert.equal(await again.tokenFor(place()), token);
    assert.deepEqual(again.accounts(), [
      { host: github.host, login: 'sandpiper-tester', at: now, expiresAt: now + 8 * 60 * MINUTE, renewable: true },
    ]);
    assert.equal(await again.tokenFor({ host: 'github.com' }), undefined);
  });

  it('are forgotten with another key, and can be made anew', async () => {
    await signIn(await open());
    key = randomBytes(32);
    const lines: string[] = [];
    const signIns = await open({ log: { log: (_level, _area, message) => void lines.push(message) } });
    assert.deepEqual(signIns.accounts(), []);
    assert.match(lines.join(), /do not fit the key .* sign in again/);
    await signIn(signIns);
    assert.equal((await open()).accounts().length, 1);
  });

  it('have a token made anew before it ends, once for all who ask, and keep it', async () => {
    const signIns = await open();
    await signIn(signIns);
    const old = await signIns.tokenFor(place());
    now += 7 * 60 * MINUTE;
    assert.equal(await signIns.tokenFor(place()), old);
    now += 56 * MINUTE;
    const before = asked();
    const tokens = await Promise.all([1, 2, 3].map(() => signIns.tokenFor(place())));
    assert.deepEqual(new Set(tokens), new Set([github.signIns.current]));
    assert.notEqual(tokens[0], old);
    assert.equal(asked(), before + 1);
    assert.equal([...held.values()].includes(old), false);
    assert.equal(await (await open()).tokenFor(place()), tokens[0]);
    // A second time, with what the first gave.
    now += 8 * 60 * MINUTE;
    assert.equal(await signIns.tokenFor(place()), github.signIns.current);
  });

  it('go on with a token that is still good while GitHub does not answer, and say so when it is not', async () => {
    const signIns = await open();
    await signIn(signIns);
    const old = await signIns.tokenFor(place());
    now += 8 * 60 * MINUTE - MINUTE;
    github.fault('badGateway', { operation: TOKEN });
    assert.equal(await signIns.tokenFor(place()), old);
    now += 2 * MINUTE;
    github.fault('socketCut', { operation: TOKEN });
    const error = await rejects(signIns.tokenFor(place()), 'forge_unreachable');
    assert.equal(
      github.signIns.given.some(one => error.message.includes(one)),
      false,
    );
    assert.equal(await signIns.tokenFor(place()), github.signIns.current);
  });

  for (const silence of ['silence', 'silenceAfterHeaders'] as const) {
    it(`say so in time when the answer never comes (${silence}), ask once for all, and ask again later`, async () => {
      const { fetchInTime } = new GithubClients({
        hosts: [{ host: github.host, apiUrl: github.apiUrl }],
        timeoutMs: 300,
      });
      oauth = new GithubOauth({ webUrl: github.url, apiUrl: github.apiUrl, fetch: fetchInTime });
      const signIns = await open();
      await signIn(signIns);
      now += 8 * 60 * MINUTE;
      github.fault(silence, { operation: TOKEN });
      const before = asked();
      const errors = await Promise.all([1, 2].map(() => rejects(signIns.tokenFor(place()), 'forge_unreachable')));
      assert.match(errors[0]?.message ?? '', /could not be asked for another token: .*time/i);
      assert.equal(asked(), before + 1);
      assert.equal(await signIns.tokenFor(place()), github.signIns.current);
    });
  }

  it('have ended at once when a renewal was lost, though the old token seems good', async () => {
    const signIns = await open();
    await signIn(signIns);
    now += 8 * 60 * MINUTE - MINUTE;
    const lost = kept;
    await signIns.tokenFor(place());
    kept = lost;
    // As after a kill: GitHub has answered, and nothing of it is stored.
    const again = await open();
    const error = await rejects(again.tokenFor(place()), 'forge_unauthorized');
    assert.match(`${error.message} ${error.hint}`, /has ended. Run `sandpiper login 127.0.0.1:\d+`/);
    await rejects((await open()).tokenFor(place()), 'forge_unauthorized');
    await signIn(again);
    assert.equal(await again.tokenFor(place()), github.signIns.current);
  });

  it('are not let go of while a token is made', async () => {
    const signIns = await open();
    await signIn(signIns);
    now += 8 * 60 * MINUTE;
    const told = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    github.afterNext(TOKEN, () => {
      told.resolve();
      return gate.promise;
    });
    const token = signIns.tokenFor(place());
    await told.promise;
    const settled = signIns.settled(MINUTE);
    gate.resolve();
    await settled;
    assert.equal(await (await open()).tokenFor(place()), github.signIns.current);
    assert.equal(await token, github.signIns.current);
    await signIns.settled(MINUTE);
    github.fault('silence', { operation: TOKEN });
    now += 8 * 60 * MINUTE;
    const held = new AbortController();
    oauth = new GithubOauth({
      webUrl: github.url,
      apiUrl: github.apiUrl,
      fetch: (input, init) => fetch(input, { ...init, signal: held.signal }),
    });
    const waiting = rejects(signIns.tokenFor(place()), 'forge_unreachable');
    await signIns.settled(1);
    held.abort();
    await waiting;
  });

  it('have ended when GitHub refuses, and are not asked about again', async () => {
    const signIns = await open();
    await signIn(signIns);
    now += 8 * 60 * MINUTE;
    github.signIns.revoke();
    const error = await rejects(signIns.tokenFor(place()), 'forge_unauthorized');
    assert.match(`${error.message} ${error.hint}`, /has ended. Run `sandpiper login 127.0.0.1:\d+`/);
    const before = asked();
    await rejects(signIns.tokenFor(place()), 'forge_unauthorized');
    await rejects((await open()).tokenFor(place()), 'forge_unauthorized');
    assert.equal(asked(), before);
    assert.equal(signIns.accounts()[0]?.renewable, false);
  });

  it('use no refresh token in a relay that was taken over from', async () => {
    const signIns = await open();
    await signIn(signIns);
    now += 8 * 60 * MINUTE;
    confirm = () => Promise.reject(new SandpiperError('fenced', 'Another relay has taken over.'));
    const before = asked();
    await rejects(signIns.tokenFor(place()), 'fenced');
    assert.equal(asked(), before);
  });

  it('stay ended when they are ended while a token is made', async () => {
    const signIns = await open();
    await signIn(signIns);
    now += 8 * 60 * MINUTE;
    github.afterNext(TOKEN, async () => void (await signIns.remove(github.host)));
    await signIns.tokenFor(place());
    assert.equal(await signIns.tokenFor(place()), undefined);
    assert.deepEqual((await open()).accounts(), []);
    assert.deepEqual([...held.values()], [undefined, undefined]);
    assert.equal(await signIns.remove(github.host), false);
  });

  it('need no refresh token where tokens do not end', async () => {
    github.signIns.options.tokenMs = undefined;
    const signIns = await open();
    await signIn(signIns);
    now += 1000 * 24 * 60 * MINUTE;
    assert.equal(await signIns.tokenFor(place()), github.signIns.current);
    assert.equal(signIns.accounts()[0]?.renewable, false);
  });
});
