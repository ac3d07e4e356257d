import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { z } from 'zod';
import { POLICY_PATH, policyViolationSchema, type PolicyViolation } from '../../protocol/policy.ts';
import { Cli } from '../support/cliProcess.ts';
import type { GithubServer } from '../support/githubServer.ts';
import { beginChange, type ForgeWorkshop, makeForgeClone, openForgeWorkshop } from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import type { Workshop } from '../support/workshop.ts';

describe('the policy of a repository', function () {
  this.timeout(60_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let bare = '';
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop();
    ({ github, shop } = forge);
  });
  after(() => forge?.dispose());

  /** A clone of a repository of its own, whose main has a policy from its last commit on. */
  async function makeRepository(policy?: unknown): Promise<string> {
    const { source, bare: folder } = await makeForgeClone(shop, github, `policy-${++repositories}`);
    bare = folder;
    if (policy !== undefined) {
      await declare(source, policy);
    }
    return source;
  }

  async function declare(source: string, policy: unknown, path: string = POLICY_PATH): Promise<void> {
    const file = join(source, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof policy === 'string' ? policy : JSON.stringify(policy, undefined, 2));
    await plainGit(source, ['add', '-A']);
    await plainGit(source, ['commit', '-qm', 'Declare a policy']);
    await plainGit(source, ['push', '-q', bare, 'HEAD:main']);
  }

  const open = (sessionId: string, more: { from?: 'accepted' | 'all' } = {}) =>
    shop.client.call('pullRequest.open', { sessionId, token: github.token, ...more });
  const check = (sessionId: string) => shop.client.call('policy.check', { sessionId, token: github.token });
  const rulesOf = (violations: readonly PolicyViolation[]) =>
    violations.map(({ rule, path, line }) => [rule, path, line].filter(part => part !== undefined).join(' ')).sort();
  const branches = async () =>
    (await plainGit(bare, ['for-each-ref', '--format=%(refname:short)', 'refs/heads'])).split('\n');

  it('refuses what breaks it, says every rule with its file, and nothing is pushed', async () => {
    const source = await makeRepository({
      version: 1,
      paths: { allow: ['src/', 'added.txt', 'secret.txt', '.vscode/', 'README.md'], deny: ['*.lock'] },
      protected: ['/README.md'],
      sensitive: [],
      limits: { files: 3, lines: 5, bytes: 100, fileBytes: 100 },
      licenseHeaders: [{ files: ['src/*.ts'], header: 'SPDX-License-Identifier: MIT' }],
      review: { fraction: 0.5 },
    });
    const command = [
      'mkdir -p src .vscode; echo "export {};" > src/a.ts; printf "// SPDX-License-Identifier: MIT\\n" > src/b.ts',
      'echo x > other.md; echo x > yarn.lock; echo "{}" > .vscode/tasks.json; echo more >> README.md',
      `printf 'a\\nkey = ghp_${'a1B2'.repeat(9)}\\n' > secret.txt`,
    ].join('; ');
    const id = await beginChange(shop, source, { command });
    const refused = await open(id).then(
      () => assert.fail('It was pushed.'),
      (error: { code?: string; message?: string; details?: { violations?: PolicyViolation[] } }) => error,
    );
    assert.equal(refused.code, 'policy_refused');
    const expected = [
      'licenseHeaders src/a.ts 1',
      'limits.bytes',
      'limits.fileBytes README.md',
      'limits.files',
      'limits.lines',
      'paths.allow other.md',
      'paths.allow yarn.lock',
      'paths.deny yarn.lock',
      'protected README.md',
      'review',
      'secrets secret.txt 2',
      'sensitive .vscode/tasks.json',
    ];
    assert.deepEqual(rulesOf(refused.details?.violations ?? []), expected);
    assert.match(refused.message ?? '', /main does not let this land/);
    assert.doesNotMatch(JSON.stringify(refused), /ghp_/);
    assert.deepEqual(await branches(), ['main']);
    assert.equal(github.pullRequests().filter(({ repository }) => repository === `policy-${repositories}`).length, 0);
    const asked = await check(id);
    assert.deepEqual(rulesOf(asked.violations), expected);
    assert.equal(asked.source?.branch, 'main');
  });

  it('is that of the base branch as it is now, and never that of the work', async () => {
    const source = await makeRepository();
    const id = await beginChange(shop, source, {
      command: `mkdir -p .sandpiper; echo '{"version": 1}' > ${POLICY_PATH}; echo new > added.txt`,
    });
    assert.deepEqual(await check(id), { violations: [], from: 'all' });
    await declare(source, { version: 1, paths: { deny: ['added.txt'] } });
    await assert.rejects(open(id), { code: 'policy_refused', message: /added\.txt: Nothing may change here/ });
    await declare(source, { version: 1, paths: { deny: ['other.txt'] } });
    assert.equal((await open(id)).created, true);
  });

  it('lets land what it allows, and what a person accepted', async () => {
    const source = await makeRepository({ version: 1, sensitive: ['db/'], review: { fraction: 1 } });
    const id = await beginChange(shop, source, { command: 'mkdir db; echo x > db/one.sql' });
    await assert.rejects(open(id, { from: 'all' }), {
      code: 'policy_refused',
      message: /db\/one\.sql: It is sensitive/,
    });
    const { accepted, proposed } = await shop.client.call('session.get', { sessionId: id });
    const files = [{ path: 'db/one.sql' }];
    await shop.client.call('review.decide', {
      sessionId: id,
      verdict: 'accept',
      files,
      expected: { accepted, proposed },
    });
    assert.equal((await open(id, { from: 'all' })).created, true);
  });

  it('is checked on the command line, for a session and for a file', async () => {
    const cli = new Cli(shop.dataFolder);
    const source = await makeRepository({ version: 1, paths: { deny: ['added.txt'] } });
    const id = await beginChange(shop, source);
    const hosts = `${github.host}=${github.apiUrl}`;
    const env = { SANDPIPER_GITHUB_TOKEN: github.token, SANDPIPER_GITHUB_HOSTS: hosts };
    const session = await cli.run(['policy', 'check', id], { env });
    assert.equal(session.code, 1, session.stderr);
    assert.match(
      session.stdout,
      /^All changes do not keep to the policy of main\.\nadded\.txt: Nothing may change here/,
    );
    const pushed = await cli.run(['pr', id], { env });
    assert.equal(pushed.code, 1);
    assert.match(
      pushed.stderr,
      /does not let this land.*\n- added\.txt: Nothing may change here \("added\.txt"\)\. Reject/,
    );
    const file = await cli.run(['policy', 'check'], { cwd: source });
    assert.deepEqual([file.code, file.stdout], [0, `${POLICY_PATH} is well formed.\n`], file.stderr);
    await writeFile(join(source, POLICY_PATH), '{"version": 1,\n"limits": {"file": 3}}');
    const json = await cli.run(['policy', 'check', '--json'], { cwd: source });
    assert.equal(json.code, 1);
    const { violations } = z.object({ violations: z.array(policyViolationSchema) }).parse(JSON.parse(json.stdout));
    assert.deepEqual(
      violations.map(({ path, line, message }) => [path, line, message]),
      [[POLICY_PATH, 2, '"limits.file" is not known.']],
    );
  });

  for (const [what, text, path] of [
    ['cannot be read', '{\n  "version": 1,\n  "paths": {"deny": ["a" "b"]}\n}', POLICY_PATH],
    ['has a rule that is not known', '{"version": 1,\n "limit": {"files": 3}}', POLICY_PATH],
    ['is very large', `{"version": 1}${' '.repeat(70_000)}`, POLICY_PATH],
    ['has another name', '{"version": 1}', '.sandpiper/policy.yaml'],
  ] as const) {
    it(`refuses everything when it ${what}`, async () => {
      const source = await makeRepository();
      await declare(source, text, path);
      const id = await beginChange(shop, source);
      await assert.rejects(open(id), { code: 'policy_refused', message: /is broken/ });
      assert.deepEqual(await branches(), ['main']);
    });
  }
});
