import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { sign } from '@octokit/webhooks-methods';
import { after, before, describe, it } from 'mocha';
import { z } from 'zod';
import type { RelayClient } from '../../client/relayClient.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { RelayProcess, temporaryFolder } from '../support/relayProcess.ts';
import { deliver, WEBHOOK_SECRET } from '../support/webhooks.ts';

const examples = z
  .array(z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }))
  .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'));

describe('webhooks', function () {
  this.timeout(120_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let relay: RelayProcess;
  let client: RelayClient;

  before(async () => {
    scratch = await temporaryFolder();
    relay = new RelayProcess({
      dataFolder: join(scratch.path, 'data'),
      env: { SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    await relay.start();
    client = relay.client();
    client.connect();
  });
  after(async () => {
    client.dispose();
    await relay.stop();
    await scratch.remove();
  });

  it('takes every example that GitHub publishes, signed as GitHub signs, once by its id', async () => {
    const all = examples.flatMap(({ name, examples: payloads }) => payloads.map(payload => ({ name, payload })));
    assert.ok(all.length > 300, String(all.length));
    const sent = new Map<string, string>();
    for (const { name, payload } of all) {
      const id = randomUUID();
      sent.set(id, name);
      const signature = await sign(WEBHOOK_SECRET, JSON.stringify(payload));
      const answer = await deliver(relay, name, payload, { id, headers: { 'x-hub-signature-256': signature } });
      assert.deepEqual([answer.status, answer.duplicate], [202, false], name);
    }
    const [first = '', event = ''] = [...sent][0] ?? [];
    const again = await deliver(relay, event, all[0]?.payload, { id: first });
    assert.deepEqual([again.status, again.duplicate], [202, true]);
    const settled = await eventually(async () => {
      const { deliveries } = await client.call('hooks.list', { limit: 500 });
      assert.equal(deliveries.filter(({ state }) => state === 'waiting').length, 0);
      return deliveries;
    }, 20_000);
    assert.equal(settled.length, all.length);
    for (const { id, event: stored, state, reason } of settled) {
      assert.equal(stored, sent.get(id));
      assert.equal(state, 'ignored', `${stored}: ${reason}`);
      assert.match(reason ?? '', /\.$/);
      assert.doesNotMatch(reason ?? '', /lacks what GitHub promises/, stored);
    }
  });

  it('refuses what is not signed with the secret, whatever else is right', async () => {
    const body = JSON.stringify({ action: 'labeled', text: 'ü' });
    const other = JSON.stringify(JSON.parse(body), null, 2);
    const count = async () => (await client.call('hooks.list', { limit: 500 })).deliveries.length;
    const before = await count();
    const status = async (sent: string, headers: Record<string, string>) =>
      (await deliver(relay, 'issues', sent, { headers })).status;
    assert.equal(await status(body, { 'x-hub-signature-256': await sign('another-secret', body) }), 401);
    assert.equal(await status(other, { 'x-hub-signature-256': await sign(WEBHOOK_SECRET, body) }), 401);
    assert.equal(await status(`${body} `, { 'x-hub-signature-256': await sign(WEBHOOK_SECRET, body) }), 401);
    assert.equal(await status(body, { 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` }), 401);
    assert.equal(await status(body, { 'x-hub-signature-256': '' }), 401);
    assert.equal(await status(body, { 'x-github-delivery': '' }), 400);
    assert.equal(await status(body, { 'x-github-event': 'no/event' }), 400);
    assert.equal(await status('no json', {}), 400);
    assert.equal(await status(body, { 'content-type': 'application/x-www-form-urlencoded' }), 400);
    assert.equal(await status(JSON.stringify({ large: 'x'.repeat(6_000_000) }), {}), 413);
    assert.equal(await count(), before);
  });

  it('needs neither the token nor an Origin of the relay, but its name, and no other path does without', async () => {
    assert.equal((await deliver(relay, 'ping', {}, { headers: { origin: 'https://github.com' } })).status, 202);
    const hook = (path: string, method = 'POST') =>
      fetch(`${relay.url}${path}`, { method }).then(({ status }) => status);
    assert.equal(await hook('/webhooks/github?x=1'), 401);
    assert.equal(await hook('/webhooks/githubs'), 401);
    assert.equal(await hook('/v1/hooks/deliveries', 'POST'), 401);
  });

  it('are seen and connected on the command line', async () => {
    const cli = new Cli(join(scratch.path, 'data'));
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await cli.run(['hooks', ...args]);
      return `${stdout}${stderr}`;
    };
    assert.match(
      await run('secret'),
      new RegExp(`^secret ${WEBHOOK_SECRET}\\nsend application/json to /webhooks/github`),
    );
    const connected = await run('connect', 'acme/app', '--source', '/src/app', '--trigger', 'issues', '--budget', '2');
    assert.match(connected, /^acme\/app {2}\/src\/app {2}issues {2}label "sandpiper" {2}autopilot {2}local {2}\$2\n$/);
    const { id } = await deliver(relay, 'issues', { action: 'labeled' });
    await eventually(async () => {
      const { delivery } = await client.call('hooks.show', { id });
      assert.equal(delivery?.state, 'ignored');
    });
    assert.match(await run('list', '--limit', '1'), new RegExp(`${id} {2}ignored {2}issues.labeled`));
    assert.match(await run('show', id), /"reason": "It lacks what GitHub promises/);
    assert.equal(await run('retry', id), 'nothing to try again\n');
    assert.equal(await run('disconnect', 'acme/App'), 'disconnected\n');
  });

  it('are of a repository once, in whatever spelling, and on a forge that is known', async () => {
    await client.call('hooks.connect', { repository: 'acme/app', source: '/src/app' });
    await client.call('hooks.connect', { repository: 'GitHub.com/ACME/app', source: '/src/other' });
    const { connections } = await client.call('hooks.connections', {});
    assert.deepEqual(
      connections.map(({ repository, source, triggers }) => [repository, source, triggers.length]),
      [['GitHub.com/ACME/app', '/src/other', 5]],
    );
    await assert.rejects(client.call('hooks.connect', { repository: 'ghe.example/acme/app', source: 'x' }), {
      code: 'no_forge',
      hint: /SANDPIPER_GITHUB_HOSTS/,
    });
    await assert.rejects(client.call('hooks.show', { id: 'unknown' }), { code: 'not_found' });
    await assert.rejects(client.call('hooks.secret', { rotate: true }), { code: 'conflict' });
    assert.deepEqual(await client.call('hooks.disconnect', { repository: 'acme/APP' }), { removed: true });
    assert.deepEqual(await client.call('hooks.disconnect', { repository: 'acme/app' }), { removed: false });
  });

  it('are off without a secret, and on with the one that is asked for, also after a restart', async () => {
    const plain = new RelayProcess({ dataFolder: join(scratch.path, 'off'), env: {} });
    await plain.start();
    let plainClient = plain.client();
    plainClient.connect();
    try {
      assert.equal((await deliver(plain, 'ping', {})).status, 404);
      const { secret, source } = await plainClient.call('hooks.secret', {});
      assert.equal(source, 'stored');
      assert.equal((await plainClient.call('hooks.secret', {})).secret, secret);
      assert.equal((await deliver(plain, 'ping', {}, { secret })).status, 202);
      assert.equal((await deliver(plain, 'ping', {})).status, 401);
      await plain.stop();
      await plain.start();
      plainClient.dispose();
      plainClient = plain.client();
      plainClient.connect();
      assert.equal((await deliver(plain, 'ping', {}, { secret })).status, 202);
      const { secret: next } = await plainClient.call('hooks.secret', { rotate: true });
      assert.notEqual(next, secret);
      assert.equal((await deliver(plain, 'ping', {}, { secret })).status, 401);
      assert.equal((await deliver(plain, 'ping', {}, { secret: next })).status, 202);
      assert.ok(!plain.log.includes(secret) && !plain.log.includes(next));
    } finally {
      plainClient.dispose();
      await plain.stop();
    }
  });
});
