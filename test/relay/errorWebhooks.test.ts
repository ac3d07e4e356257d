import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { scripted } from '../support/modelScript.ts';
import { deliverPlain, sentryHeaders } from '../support/namedHooks.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const CLIENT_SECRET = 'a1b2c3d4e5f60718'.repeat(4);
const PROMPT = scripted('Do', [{ tool: 'Bash', input: { command: 'echo 1 > repaired.txt' } }, { text: 'Repaired.' }]);

const event = (issue: string, id: string) => ({
  action: 'triggered',
  data: {
    event: {
      event_id: id,
      issue_id: issue,
      title: 'TypeError: x is undefined',
      release: 'shop@1.2.3',
      exception: {
        values: [
          {
            type: 'TypeError',
            value: 'x is undefined',
            stacktrace: { frames: [{ filename: 'src/cart.ts', lineno: 5, function: 'total', in_app: true }] },
          },
        ],
      },
    },
  },
});

describe('webhooks of errors', function () {
  this.timeout(300_000);
  let shop: Workshop;

  before(async () => {
    shop = await openWorkshop({
      SANDPIPER_LEASE_MS: '1000',
      SANDPIPER_WEBHOOK_RETRY_MS: '20',
      SANDPIPER_LOG: 'debug',
    });
  });
  after(() => shop.dispose());

  const add = (name: string, kind: 'sentry' | 'glitchtip', secret?: string) =>
    shop.client.call('hooks.add', {
      name,
      kind,
      source: shop.repository,
      prompt: PROMPT,
      ...(secret === undefined ? {} : { secret }),
    });

  /** What came, oldest first, once so many of it are over. */
  function over(name: string, count: number) {
    return eventually(async () => {
      const { firings } = await shop.client.call('triggers.list', { trigger: `hook ${name}` });
      assert.equal(firings.length, count);
      assert.ok(
        firings.every(({ state }) => state !== 'waiting'),
        `${JSON.stringify(firings)}\n${shop.relay.log.slice(-2000)}`,
      );
      return firings.toReversed();
    }, 60_000);
  }

  it('of Sentry begin one session for an issue while that is open, with the error as material', async () => {
    await add('sentry', 'sentry', CLIENT_SECRET);
    const path = '/webhooks/sentry/sentry';
    const send = (payload: unknown, resource = 'event_alert', secret = CLIENT_SECRET) =>
      deliverPlain(shop.relay, path, payload, sentryHeaders(secret, resource, payload));
    const sent = await send(event('7', 'e1'));
    assert.deepEqual([sent.status, sent.duplicate], [202, false]);
    const [begun] = await over('sentry', 1);
    assert.equal(begun?.state, 'begun');
    const sessionId = begun.sessionId ?? '';
    const state = await shop.until(sessionId, 'is done', ({ turns }) => turns[0]?.checkpoint !== undefined, 60_000);
    assert.equal(state.title, 'TypeError: x is undefined');
    assert.equal(state.turns[0]?.checkpoint?.changed, true);
    const message = JSON.stringify(state.items.find(item => item.kind === 'message'));
    assert.match(message, /<material [0-9a-f]{16}: error by Sentry>\\ntitle: TypeError/);
    assert.match(message, / {2}src\/cart\.ts:5 in total/);
    // The same delivery, the same issue, another one, what asks for nothing.
    assert.equal((await send(event('7', 'e1'))).duplicate, true);
    assert.equal((await send(event('7', 'e2'))).status, 202);
    assert.equal((await send(event('8', 'e3'))).status, 202);
    assert.equal((await send({ action: 'resolved', data: { issue: { id: '7' } } }, 'issue')).status, 202);
    const all = await over('sentry', 3);
    assert.deepEqual(
      all.map(one => [one.state, one.reason]),
      [
        ['begun', undefined],
        ['ignored', `It is worked on already in ${sessionId}.`],
        ['begun', undefined],
      ],
    );
    await shop.client.call('session.archive', { sessionId, archived: true });
    await send(event('7', 'e4'));
    const again = (await over('sentry', 4)).at(-1);
    assert.equal(again?.state, 'begun');
    assert.notEqual(again.sessionId, sessionId);
  });

  it('of Sentry are refused when its secret did not sign them', async () => {
    await add('strict', 'sentry', CLIENT_SECRET);
    const payload = event('9', 'e9');
    const status = async (headers: Record<string, string>, path = '/webhooks/sentry/strict') =>
      (await deliverPlain(shop.relay, path, payload, headers)).status;
    assert.equal(await status(sentryHeaders('another-client-secret', 'error', payload)), 401);
    assert.equal(await status(sentryHeaders(CLIENT_SECRET, 'error', event('9', 'e8'))), 401);
    assert.equal(await status({}), 401);
    assert.equal(await status(sentryHeaders(CLIENT_SECRET, 'error', payload), '/webhooks/generic/strict'), 404);
    assert.equal(await status({}, `/webhooks/sentry/strict/${'A'.repeat(43)}`), 404);
    assert.deepEqual(await over('strict', 0), []);
    await assert.rejects(add('none', 'sentry'), { code: 'invalid_params' });
    await assert.rejects(add('none', 'glitchtip', CLIENT_SECRET), { code: 'invalid_params' });
  });

  it('of GlitchTip come in by an address that is secret, and stands in no log', async () => {
    const { hook, secret = '' } = await add('glitch', 'glitchtip');
    assert.equal(hook.path, '/webhooks/glitchtip/glitch/<secret>');
    const payload = {
      alias: 'GlitchTip',
      text: 'GlitchTip Alert',
      attachments: [
        { title: 'KeyError: a', title_link: 'https://glitchtip.example/acme/issues/7', text: 'cart.total' },
      ],
    };
    const status = async (last: string, sent: unknown = payload) =>
      (await deliverPlain(shop.relay, `/webhooks/glitchtip/glitch${last}`, sent)).status;
    assert.equal(await status(''), 401);
    assert.equal(await status(`/${'A'.repeat(43)}`), 401);
    assert.equal(await status('/short'), 401);
    assert.equal(await status(`/${secret}`, 'no object'), 400);
    assert.equal(await status(`/${secret}`), 202);
    const [begun] = await over('glitch', 1);
    assert.equal(begun?.state, 'begun');
    // It says the same again: one session while that is open.
    assert.equal(await status(`/${secret}`), 202);
    assert.equal((await over('glitch', 2)).at(-1)?.state, 'ignored');
    assert.match(shop.relay.log, /"path":"\/webhooks\/glitchtip\/glitch\/\.\.\."/);
    assert.equal(shop.relay.log.includes(secret), false);
  });

  it('of Sentry are opened on the command line with the secret in a file, also after a restart', async () => {
    const cli = new Cli(shop.dataFolder);
    const file = join(shop.folder, 'client-secret');
    await writeFile(file, `${CLIENT_SECRET}\n`);
    const more = ['--kind', 'sentry', '--repo', shop.repository, '--secret-file', file];
    const { stdout, stderr } = await cli.run(['hooks', 'add', 'by-cli', ...more]);
    assert.equal(
      `${stdout}${stderr}`,
      'send application/json to /webhooks/sentry/by-cli of the public address of this relay\n',
    );
    const folder = join(shop.dataFolder, 'trigger-secrets');
    if (process.platform !== 'win32') {
      assert.equal((await stat(join(folder, 'by-cli'))).mode & 0o777, 0o600);
    }
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const payload = { action: 'resolved', data: {} };
    const headers = sentryHeaders(CLIENT_SECRET, 'issue', payload);
    assert.equal((await deliverPlain(shop.relay, '/webhooks/sentry/by-cli', payload, headers)).status, 202);
    const stored = (await readdir(shop.dataFolder)).filter(name => name.startsWith('relay.db'));
    for (const name of stored) {
      assert.equal((await readFile(join(shop.dataFolder, name))).includes(CLIENT_SECRET), false);
    }
    assert.equal(shop.relay.log.includes(CLIENT_SECRET), false);
  });
});
