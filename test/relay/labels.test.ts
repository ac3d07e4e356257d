import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { newId } from '../../protocol/ids.ts';
import type { SessionState, SessionSummary } from '../../protocol/session.ts';
import { MAX_TAGS } from '../../protocol/tags.ts';
import { Cli } from '../support/cliProcess.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = ({ phase, turns }: SessionState): boolean => phase.kind === 'idle' && turns.length === 1;

describe('pins, tags and questions in the list of sessions', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let first = '';
  let second = '';
  before(async () => {
    shop = await openWorkshop();
    first = await shop.begin([{ text: 'one' }], { title: 'Fix the login' });
    await shop.until(first, 'a turn', idle, 60_000);
    second = await shop.begin([{ text: 'two' }], { title: 'Write a guide' });
    await shop.until(second, 'a turn', idle, 60_000);
  });
  after(async () => {
    await shop?.dispose();
  });

  const row = async (sessionId: string): Promise<SessionSummary | undefined> => {
    const lists = await Promise.all(
      [false, true].map(archived => shop.client.call('session.list', { archived, limit: 500 })),
    );
    return lists.flatMap(({ sessions }) => sessions).find(({ id }) => id === sessionId);
  };

  it('are seen by every client, and come back with the relay', async () => {
    const other = shop.relay.client('other');
    other.connect();
    const seen = new Promise<SessionSummary>(resolve => {
      other.onNotification('session.changed', ({ summary }) => {
        if (summary.pinned === true && summary.tags?.includes('ui') === true) {
          resolve(summary);
        }
      });
    });
    await other.call('relay.info', {});
    await shop.client.call('session.pin', { sessionId: first, pinned: true });
    const { tags } = await shop.client.call('session.tag', { sessionId: first, add: ['ui', 'Größe'] });
    assert.deepEqual(tags, ['Größe', 'ui']);
    assert.equal((await seen).id, first);
    other.dispose();

    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const { pinned, tags: kept } = await shop.client.call('session.get', { sessionId: first });
    assert.deepEqual([pinned, kept], [true, ['Größe', 'ui']]);
    assert.deepEqual((await row(first))?.tags, ['Größe', 'ui']);
    assert.equal((await row(second))?.pinned, undefined);
  });

  it('lists those that are pinned, however old they are', async () => {
    const { sessions } = await shop.client.call('session.list', { pinned: true, limit: 1 });
    assert.deepEqual(
      sessions.map(({ id }) => id),
      [first],
    );
    await shop.client.call('session.pin', { sessionId: first, pinned: false });
    assert.deepEqual((await shop.client.call('session.list', { pinned: true })).sessions, []);
    await shop.client.call('session.pin', { sessionId: first, pinned: true });
  });

  it('keeps what two people add at the same time, and writes nothing twice', async () => {
    const before = await shop.events(second);
    const key = newId('key');
    await Promise.all([
      shop.client.call('session.tag', { sessionId: second, add: ['a'], key }),
      shop.client.call('session.tag', { sessionId: second, add: ['b'] }),
      shop.client.call('session.tag', { sessionId: second, add: ['a'], key }),
    ]);
    assert.deepEqual((await row(second))?.tags, ['a', 'b']);
    await shop.client.call('session.tag', { sessionId: second, add: ['A'] });
    await shop.client.call('session.pin', { sessionId: second, pinned: false });
    const events = (await shop.events(second)).slice(before.length);
    assert.deepEqual(
      events.map(({ body }) => body.type),
      ['sessionTagged', 'sessionTagged'],
    );
    await shop.client.call('session.tag', { sessionId: second, remove: ['A', 'b', 'unknown'] });
    assert.equal((await row(second))?.tags, undefined);
  });

  it('refuses what is no tag, and too many', async () => {
    await rejects(shop.client.call('session.tag', { sessionId: second, add: ['two words'] }), 'invalid_params');
    const many = Array.from({ length: MAX_TAGS }, (_, index) => `t${index}`);
    await shop.client.call('session.tag', { sessionId: second, add: many });
    await rejects(shop.client.call('session.tag', { sessionId: second, add: ['more'] }), 'invalid_params');
    await shop.client.call('session.tag', { sessionId: second, remove: many });
  });

  it('come back with a deleted session, and a branch has the tags without the pin', async () => {
    const key = newId('key');
    const { sessionId: branch } = await shop.client.call('checkpoint.branch', { sessionId: first, turn: 1, key });
    assert.equal((await row(branch))?.pinned, undefined);
    await shop.client.call('session.delete', { sessionId: first }, { timeoutMs: 60_000 });
    assert.equal(await row(first), undefined);
    await shop.client.call('session.restore', { sessionId: first }, { timeoutMs: 60_000 });
    const { pinned, tags } = (await row(first)) ?? {};
    assert.deepEqual([pinned, tags], [true, ['Größe', 'ui']]);
  });

  it('work on the command line', async () => {
    const cli = new Cli(shop.dataFolder);
    const ids = async (...args: string[]): Promise<string[]> => {
      const { code, stdout, stderr } = await cli.run(['sessions', ...args]);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.slice(0, 30)]));
    };
    const tagged = await cli.run(['tag', second.slice(-8), 'docs', 'later']);
    assert.deepEqual([tagged.code, tagged.stdout], [0, 'docs\nlater\n']);
    assert.equal((await cli.run(['tag', second, '--', '-later'])).stdout, 'docs\n');
    assert.deepEqual(await ids('--filter', 'tag:docs'), [second]);
    assert.deepEqual(await ids('--filter', 'guide state:done'), [second]);
    assert.deepEqual(await ids('--filter', 'guide state:running'), []);
    assert.equal((await cli.run(['pin', second.slice(-8)])).code, 0);
    assert.deepEqual(new Set(await ids('--filter', 'is:pinned')), new Set([first, second]));
    assert.equal((await cli.run(['unpin', second])).code, 0);
    assert.deepEqual(await ids('--filter', 'is:pinned'), [first]);
    assert.equal((await ids())[0], first, 'the pinned one comes first');
    const wrong = await cli.run(['sessions', '--filter', 'state:sleeping']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /There is no state "sleeping"/);
    assert.match((await cli.run(['tag', second, 'two words'])).stderr, /is no tag/);
  });

  it('tell what an agent asks, how risky it is, and whether the row shows all of it', async () => {
    const asks = await shop.begin(
      [
        { text: 'First this.', tool: 'Bash', input: { command: 'rm -rf build' } },
        { tool: 'Bash', input: { command: 'echo one\necho two > two.txt' } },
        { text: 'Done.' },
      ],
      { permissionMode: 'ask' },
    );
    await shop.until(asks, 'a question', state => state.approvals.length === 1, 60_000);
    const [ask] = (await row(asks))?.asking ?? [];
    assert.deepEqual(
      [ask?.kind, ask?.title, ask?.risk, ask?.why, ask?.whole],
      ['tool', 'rm -rf build', 'high', 'deletes files', true],
    );
    await shop.client.call('session.answer', {
      sessionId: asks,
      approvalId: ask?.id ?? '',
      decision: { kind: 'allow' },
    });
    await shop.until(asks, 'the next question', ({ approvals }) => approvals[0]?.title === 'echo one', 60_000);
    assert.equal((await row(asks))?.asking?.[0]?.whole, false);
    await shop.client.call('session.answer', {
      sessionId: asks,
      approvalId: (await row(asks))?.asking?.[0]?.id ?? '',
      decision: { kind: 'deny' },
    });
    await shop.until(asks, 'the end', idle, 60_000);
    assert.equal((await row(asks))?.asking, undefined);
  });
});
