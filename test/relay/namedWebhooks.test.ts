import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { Firing } from '../../protocol/triggerCalls.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { scripted } from '../support/modelScript.ts';
import { deliverNamed, type SignedHook } from '../support/namedHooks.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const writes = (file: string) =>
  scripted('Do', [{ tool: 'Bash', input: { command: `echo 1 > ${file}` } }, { text: 'Ok.' }]);

describe('webhooks of one’s own', function () {
  this.timeout(300_000);
  let shop: Workshop;

  before(async () => {
    shop = await openWorkshop({ SANDPIPER_LEASE_MS: '1000', SANDPIPER_WEBHOOK_RETRY_MS: '20' });
  });
  after(() => shop.dispose());

  async function open(
    name: string,
    more: { prompt?: string; maxPerHour?: number; source?: string } = {},
  ): Promise<SignedHook> {
    const { hook, secret } = await shop.client.call('hooks.add', { name, source: shop.repository, ...more });
    return { path: hook.path, secret: secret ?? '' };
  }
  const firings = async (name: string) =>
    (await shop.client.call('triggers.list', { trigger: `hook ${name}` })).firings;
  const sessions = async (title: string) =>
    (await shop.client.call('session.list', { limit: 500 })).sessions.filter(one => one.title === title);

  /** What became of a delivery, once its session began. */
  function over(name: string, id: string, fits: (firing: Firing) => boolean = ({ state }) => state !== 'waiting') {
    return eventually(async () => {
      const firing = (await firings(name)).find(({ key }) => key === `hook ${name} ${id}`);
      assert.ok(firing && fits(firing), `${JSON.stringify(firing)}\n${shop.relay.log.slice(-3000)}`);
      return firing;
    }, 60_000);
  }

  it('begin one session whose agent has the fields as material', async () => {
    const hook = await open('alerts', { prompt: `${writes('one.txt')}\nFor {{alert.name}} on {{alert.host}}.` });
    const delivery = await deliverNamed(shop.relay, hook, { alert: { name: 'Disk full' } });
    assert.deepEqual([delivery.status, delivery.duplicate], [202, false]);
    const { sessionId = '', state, reason } = await over('alerts', delivery.id);
    assert.deepEqual([state, reason], ['begun', 'The webhook has no alert.host.']);
    const session = await shop.until(sessionId, 'is done', ({ turns }) => turns[0]?.checkpoint !== undefined, 60_000);
    assert.equal(session.turns[0]?.agent?.outcome, 'completed');
    assert.equal(session.title, 'alerts');
    const message = session.items.find(item => item.kind === 'message');
    assert.match(JSON.stringify(message), /<material [0-9a-f]{16}: field `alert\.name`>\\nDisk full\\n/);
    const again = await deliverNamed(shop.relay, hook, { alert: { name: 'Another' } }, { id: delivery.id });
    assert.deepEqual([again.status, again.duplicate], [202, true]);
    assert.equal((await sessions('alerts')).length, 1);
  });

  it('refuse what is not signed with their secret, now, whatever else is right', async () => {
    const hook = await open('strict');
    const other = await open('other');
    const status = async (how: { headers?: Record<string, string>; at?: number; path?: string; body?: unknown }) =>
      (await deliverNamed(shop.relay, { ...hook, path: how.path ?? hook.path }, how.body ?? { a: 1 }, how)).status;
    assert.equal((await deliverNamed(shop.relay, { ...hook, secret: other.secret }, {})).status, 401);
    assert.equal(await status({ path: other.path }), 401);
    assert.equal(await status({ at: Date.now() - 301_000 }), 401);
    assert.equal(await status({ at: Date.now() + 310_000 }), 401);
    assert.equal(await status({ headers: { 'webhook-signature': '' } }), 401);
    assert.equal(await status({ headers: { 'webhook-id': 'another' } }), 401);
    assert.equal(await status({ headers: { 'webhook-id': 'a b' } }), 400);
    assert.equal(await status({ body: 'no json' }), 400);
    assert.equal(await status({ body: '[1]' }), 400);
    assert.equal(await status({ body: `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}` }), 400);
    assert.equal(await status({ body: { large: 'x'.repeat(300_000) } }), 413);
    assert.equal(await status({ headers: { 'content-type': 'text/plain' } }), 400);
    assert.equal(await status({ path: '/webhooks/generic/unknown' }), 404);
    assert.equal(await status({ path: '/webhooks/unknown/strict' }), 404);
    // No hole for other paths.
    assert.equal(await status({ path: '/webhooks/generic/strict/more' }), 401);
    assert.equal(await status({ path: '/webhooks/generic/strict?x=1' }), 401);
    assert.equal(await status({ path: '/v1/hooks/named' }), 401);
    assert.deepEqual(await firings('strict'), []);
    const { secret = '' } = await shop.client.call('hooks.rotate', { name: 'strict' });
    assert.equal(await status({}), 401);
    assert.equal((await deliverNamed(shop.relay, { ...hook, secret }, writes('x.txt'))).status, 400);
    assert.equal((await deliverNamed(shop.relay, { ...hook, secret }, { a: 1 })).status, 202);
  });

  it('begin exactly one session though the relay is killed as soon as it has answered', async () => {
    const hook = await open('killed', { prompt: writes('killed.txt') });
    for (const round of [1, 2]) {
      const { id, status } = await deliverNamed(shop.relay, hook, { round });
      assert.equal(status, 202);
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
      const { sessionId } = await over('killed', id, ({ state }) => state === 'begun');
      assert.equal((await deliverNamed(shop.relay, hook, { round }, { id })).duplicate, true);
      const begun = await sessions('killed');
      assert.equal(begun.length, round);
      assert.ok(begun.some(one => one.id === sessionId));
    }
  });

  it('begin no more than are allowed in an hour, and say so', async () => {
    const hook = await open('busy', { maxPerHour: 2, prompt: writes('busy.txt') });
    const answers = await Promise.all([1, 2, 3, 4].map(n => deliverNamed(shop.relay, hook, { n })));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((one, other) => one - other),
      [202, 202, 503, 503],
    );
    const refused = answers.find(({ status }) => status === 503);
    const { state, reason } = await over('busy', refused?.id ?? '');
    assert.deepEqual([state, reason], ['refused', 'More than 2 came within an hour.']);
    assert.equal((await deliverNamed(shop.relay, hook, {}, { id: refused?.id ?? '' })).status, 503);
    await eventually(async () => assert.equal((await sessions('busy')).length, 2), 60_000);
  });

  it('are given up with the reason where only a person can help, and tried again when one asks', async () => {
    const source = join(shop.folder, 'not-there');
    const hook = await open('lost', { source });
    const { id } = await deliverNamed(shop.relay, hook, {});
    const { state, reason, key } = await over('lost', id, one => one.state === 'dead');
    assert.equal(state, 'dead');
    assert.match(reason ?? '', /not-there/);
    assert.deepEqual(await shop.client.call('triggers.retry', { firing: key }), { retried: true });
    await over('lost', id, one => one.state === 'dead');
    assert.deepEqual(await shop.client.call('triggers.retry', { firing: 'unknown' }), { retried: false });
  });

  it('are opened, listed and closed on the command line; the secret stands in one file and no log', async () => {
    const cli = new Cli(shop.dataFolder);
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await cli.run(['hooks', ...args]);
      return `${stdout}${stderr}`;
    };
    const prompt = join(shop.folder, 'prompt.md');
    await writeFile(prompt, `${writes('cli.txt')}\n{{a}}`);
    const added = await run(
      'add',
      'by-cli',
      '--repo',
      shop.repository,
      '--prompt-file',
      prompt,
      '--title',
      'CLI {{a}}',
    );
    const [, secret = ''] =
      /^secret (whsec_\S+)\nsend application\/json to \/webhooks\/generic\/by-cli/.exec(added) ?? [];
    assert.ok(secret, added);
    assert.match(await run('add', 'by-cli', '--repo', shop.repository), /There is a webhook "by-cli"/);
    assert.match(await run('add', 'no such', '--repo', shop.repository), /name/);
    const named = await run('named');
    assert.match(named, /^by-cli {2}\/webhooks\/generic\/by-cli {2}\S+ {2}autopilot {2}local {2}at most 10 an hour$/m);
    assert.equal(named.includes(secret), false);
    const path = '/webhooks/generic/by-cli';
    const { id } = await deliverNamed(shop.relay, { path, secret }, { a: 'now' });
    await over('by-cli', id, ({ state }) => state === 'begun');
    assert.match(await run('begun', 'by-cli'), new RegExp(`"hook by-cli ${id}" {2}begun {2}ses_`));
    assert.equal(await run('again', `hook by-cli ${id}`), 'nothing to try again\n');
    assert.equal((await sessions('CLI now')).length, 1);
    const folder = join(shop.dataFolder, 'trigger-secrets');
    if (process.platform !== 'win32') {
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
      assert.equal((await stat(join(folder, 'by-cli'))).mode & 0o777, 0o600);
    }
    const kept = (await readFile(join(folder, 'by-cli'), 'utf8')).trim();
    const database = await Promise.all(
      (await readdir(shop.dataFolder))
        .filter(name => name.startsWith('relay.db'))
        .map(name => readFile(join(shop.dataFolder, name))),
    );
    for (const form of [secret, secret.slice(6), kept]) {
      assert.equal(shop.relay.log.includes(form), false);
      assert.ok(database.every(bytes => !bytes.includes(form)));
    }
    assert.match(await run('rotate', 'by-cli'), /^secret whsec_/);
    assert.equal((await deliverNamed(shop.relay, { path, secret }, {})).status, 401);
    assert.equal(await run('remove', 'by-cli'), 'removed\n');
    assert.equal((await deliverNamed(shop.relay, { path, secret }, {})).status, 404);
    assert.equal(await run('remove', 'by-cli'), 'there was none\n');
    assert.equal((await readdir(folder)).includes('by-cli'), false);
  });
});
