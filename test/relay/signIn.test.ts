import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, it } from 'mocha';
import { z } from 'zod';
import { Cli, type CliResult } from '../support/cliProcess.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import { beginChange, makeForgeClone } from '../support/landing.ts';
import { watchArguments } from '../support/processArguments.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const TOKEN = 'login/oauth/access_token';
const shownSchema = z.object({ userCode: z.string(), verificationUri: z.string(), expiresAt: z.number() });

describe('a sign-in to GitHub on the command line', function () {
  this.timeout(180_000);
  let github: GithubServer;
  let shop: Workshop;
  let cli: Cli;
  let repositories = 0;

  before(async () => {
    github = await startGithubServer();
    shop = await openWorkshop({ SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}` });
    cli = new Cli(shop.dataFolder, { SANDPIPER_GITHUB_CLIENT_ID: github.signIns.clientId });
  });
  after(async () => {
    await shop?.dispose();
    await cli?.dispose();
    await github?.close();
  });
  afterEach(async () => {
    github.signIns.options = { intervalMs: 100, codeMs: 900_000, tokenMs: undefined };
    github.signIns.deviceFlowEnabled = true;
    await shop.client.call('forge.signOut', { host: github.host });
    assert.deepEqual(github.violations(), []);
  });

  interface Login {
    child: ChildProcess;
    result: Promise<CliResult>;
    /** The code that is shown next. */
    code: () => Promise<string>;
  }

  function login(): Login {
    const child = cli.start(['login', github.host, '--json']);
    child.stdin?.end();
    assert.ok(child.stdout);
    const lines = createInterface({ input: child.stdout });
    const codes: string[] = [];
    const waiting: ((code: string) => void)[] = [];
    lines.on('line', line => {
      const shown = shownSchema.safeParse(JSON.parse(line)).data;
      if (shown) {
        const next = waiting.shift() ?? (code => codes.push(code));
        next(shown.userCode);
      }
    });
    const code = async () => codes.shift() ?? new Promise<string>(resolve => waiting.push(resolve));
    const failed = async (): Promise<never> => {
      throw new Error(`login ended: ${JSON.stringify(await child.result)}`);
    };
    return { child, result: child.result, code: () => Promise.race([code(), failed()]) };
  }

  async function signIn(): Promise<CliResult> {
    const { code, result } = login();
    github.signIns.enter(await code(), 'approved');
    const ended = await result;
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  }

  async function changedSession(): Promise<string> {
    return beginChange(shop, (await makeForgeClone(shop, github, `signed-${++repositories}`)).source);
  }

  const land = (sessionId: string) => shop.client.call('pullRequest.open', { sessionId });
  const accounts = async () => (await shop.client.call('forge.accounts', {})).accounts;

  /** Everything in the data folder but what agents have. */
  async function storedBytes(): Promise<string> {
    const names = await readdir(shop.dataFolder, { withFileTypes: true });
    const files = names.filter(one => one.isFile()).map(({ name }) => readFile(join(shop.dataFolder, name), 'latin1'));
    return (await Promise.all(files)).join('\n');
  }

  it('shows an address and a code, and the relay then lands with that token, which stands nowhere', async () => {
    const sessionId = await changedSession();
    await rejects(land(sessionId), 'forge_unauthorized');
    const args = watchArguments();
    const { stdout } = await signIn();
    const { pullRequest } = await land(sessionId);
    const seenArguments = await args.end();
    assert.match(stdout, /"verificationUri":"https:\/\/github.com\/login\/device"/);
    assert.match(stdout, /"login":"sandpiper-tester"/);
    assert.ok(github.pullRequests().some(({ number }) => number === pullRequest.number));
    assert.equal(github.signIns.given.length, 1);
    const log = JSON.stringify(await shop.events(sessionId));
    for (const text of [stdout, log, shop.relay.log, seenArguments, await storedBytes()]) {
      assert.equal(text.includes(github.signIns.given[0] ?? ''), false);
    }
    const doctor = await cli.run(['doctor']);
    assert.match(doctor.stdout, new RegExp(`forge ${github.host}: signed in as sandpiper-tester\\n`));
  });

  it('lasts when the relay is killed, and until it is ended', async () => {
    await signIn();
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const sessionId = await changedSession();
    assert.equal((await accounts())[0]?.login, 'sandpiper-tester');
    await land(sessionId);
    const out = await cli.run(['logout', github.host]);
    assert.equal(out.stdout, `signed out of ${github.host}\n`);
    assert.deepEqual(await accounts(), []);
    const error = await rejects(land(sessionId), 'forge_unauthorized');
    assert.match(error.hint ?? '', /sandpiper login/);
    assert.equal((await cli.run(['logout', github.host])).stdout, 'nobody was signed in\n');
  });

  it('waits as GitHub wants, also while it does not answer', async () => {
    const { code, result } = login();
    const shown = await code();
    github.signIns.nextErrors.push('authorization_pending', 'slow_down');
    github.fault('socketCut', { operation: TOKEN });
    github.fault('badGateway', { operation: TOKEN });
    github.signIns.enter(shown, 'approved');
    assert.equal((await result).code, 0);
    assert.deepEqual(github.signIns.nextErrors, []);
  });

  it('says for a person where to go', async () => {
    const child = cli.start(['login', github.host]);
    assert.ok(child.stdout);
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const [, code = ''] =
      /^Open https:\/\/github.com\/login\/device and enter the code (\S+)\. /.exec(String(line)) ?? [];
    github.signIns.enter(code, 'approved');
    const { code: exit, stdout } = await child.result;
    assert.equal(exit, 0);
    assert.match(stdout, new RegExp(`\\nSigned in to ${github.host} as sandpiper-tester\\n$`));
  });

  it('says why it did not come about', async () => {
    const refusal = async (end: (code: string) => void) => {
      const { code, result } = login();
      end(await code());
      const { code: exit, stderr } = await result;
      assert.equal(exit, 1);
      return stderr;
    };
    assert.match(await refusal(code => github.signIns.enter(code, 'denied')), /was refused on GitHub/);
    github.signIns.options.codeMs = 300;
    assert.match(await refusal(() => {}), /not entered in time/);
    github.signIns.deviceFlowEnabled = false;
    assert.match((await login().result).stderr, /tick \\"Enable Device Flow\\"/);
    github.signIns.deviceFlowEnabled = true;
    const told = async (host: string, id: string) => {
      const { code, stderr } = await cli.run(['login', host], { env: { SANDPIPER_GITHUB_CLIENT_ID: id } });
      assert.equal(code, 1);
      return stderr;
    };
    assert.match(await told(github.host, 'Iv23unknown'), /does not know this client id/);
    assert.match(await told(github.host, ''), /SANDPIPER_GITHUB_CLIENT_ID is not set/);
    assert.match(await told('ghe.example', 'Iv23unknown'), /not a GitHub that this relay knows/);
    assert.deepEqual(await accounts(), []);
  });

  it('gives way to a later one', async () => {
    const first = login();
    await first.code();
    await signIn();
    const { code, stderr } = await first.result;
    assert.equal(code, 1);
    assert.match(stderr, /Another sign-in to the same host was begun/);
  });

  it('is begun again with another code when the relay is killed while it waits', async () => {
    const { code, result } = login();
    const first = await code();
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const second = await code();
    assert.notEqual(second, first);
    github.signIns.enter(second, 'approved');
    const { code: exit, stderr } = await result;
    assert.equal(exit, 0);
    assert.match(stderr, /The relay was started again .* another one/);
    assert.equal((await accounts()).length, 1);
  });

  it('is begun again when the relay is killed between the token and its storing', async () => {
    const { code, result } = login();
    const first = await code();
    const killed = Promise.withResolvers<void>();
    github.afterNext(TOKEN, async () => {
      await shop.relay.stop('SIGKILL');
      killed.resolve();
    });
    github.signIns.enter(first, 'approved');
    await killed.promise;
    await shop.relay.start();
    assert.deepEqual(await accounts(), []);
    github.signIns.enter(await code(), 'approved');
    assert.equal((await result).code, 0);
    await land(await changedSession());
  });

  it('goes on in the relay when the command is killed, and can be begun again', async () => {
    const { child, code } = login();
    await code();
    child.kill('SIGKILL');
    await signIn();
    assert.equal((await accounts()).length, 1);
  });

  it('has tokens that end made anew, which stand nowhere either', async () => {
    github.signIns.options.tokenMs = 60_000;
    const sessionId = await changedSession();
    await signIn();
    const [first = ''] = github.signIns.given.slice(-2);
    await land(sessionId);
    assert.equal(github.signIns.isValid(first), false);
    const log = JSON.stringify(await shop.events(sessionId)) + (await storedBytes()) + shop.relay.log;
    assert.deepEqual(
      github.signIns.given.filter(token => log.includes(token)),
      [],
    );
  });
});
