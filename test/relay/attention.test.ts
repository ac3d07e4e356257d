import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

describe('calling one person once', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop?.dispose();
  });

  it('lets the first of many windows tell an event, and the same one when it asks again', async () => {
    const windows = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const client = shop.relay.client(`window ${index}`);
        client.connect();
        await client.call('relay.info', {});
        return client;
      }),
    );
    const claim = async (index: number) =>
      windows[index]?.call('attention.claim', { event: 'ses_x:approval:1', claimant: `window ${index}` });
    const granted = (await Promise.all(windows.map((_, index) => claim(index)))).map(each => each?.granted);
    assert.equal(granted.filter(Boolean).length, 1);
    assert.equal((await claim(granted.indexOf(true)))?.granted, true);
    assert.equal((await claim(granted.indexOf(false)))?.granted, false);
    const other = await shop.client.call('attention.claim', { event: 'ses_x:approval:2', claimant: 'another' });
    assert.equal(other.granted, true);
    windows.forEach(window => window.dispose());
  });

  it('says what happened since somebody was here, also after a restart, from the logs', async () => {
    const seen = await shop.client.call('attention.seen', {});
    assert.deepEqual((await shop.client.call('attention.away', {})).finished, []);
    const done = await shop.begin([{ text: 'Done.' }], { title: 'Ends well' });
    await shop.until(done, 'the end', ({ turns }) => turns[0]?.checkpoint !== undefined, 60_000);
    const asks = await shop.begin(
      [{ text: 'May I?', tool: 'Bash', input: { command: 'touch new.txt' } }, { text: 'Yes.' }],
      {
        title: 'Asks',
        permissionMode: 'ask',
      },
    );
    await shop.until(asks, 'a question', ({ approvals }) => approvals.length > 0, 60_000);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const away = await shop.client.call('attention.away', {});
    assert.equal(away.since, seen.seenAt);
    assert.deepEqual(
      away.finished.map(({ sessionId, title, turns }) => [sessionId, title, turns]),
      [[done, 'Ends well', 1]],
    );
    assert.deepEqual(
      away.waiting.map(({ sessionId, asks: lines }) => [sessionId, lines]),
      [[asks, ['Bash: touch new.txt']]],
    );
    const { usage } = await shop.client.call('session.get', { sessionId: done });
    assert.ok(usage.costUsd > 0);
    assert.ok(away.costUsd >= usage.costUsd);

    await shop.client.call('attention.seen', {});
    const later = await shop.client.call('attention.away', {});
    assert.deepEqual([later.finished, later.failed], [[], []]);
    assert.equal(later.waiting.length, 1, 'what waits is told until it is answered');
    assert.equal((await shop.client.call('attention.away', { since: 0 })).finished.length, 1);
  });

  it('is told on the command line', async () => {
    const cli = new Cli(shop.dataFolder);
    const { code, stdout } = await cli.run(['away', '--since', '1h']);
    assert.equal(code, 0);
    assert.match(stdout, /^Since .*: 1 finished, 1 waits for you/);
    assert.match(stdout, /waits {5}ses_\w+ {2}sample {2}Asks {2}Bash: touch new.txt/);
    const wrong = await cli.run(['away', '--since', 'yesterday']);
    assert.equal(wrong.code, 2);
    const { stdout: json } = await cli.run(['away', '--json']);
    assert.ok('waiting' in Object(JSON.parse(json)));
  });
});
