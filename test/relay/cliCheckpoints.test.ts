import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import { openTurns, type Turns } from '../support/turns.ts';

describe('`sandpiper back` and `branch`', function () {
  this.timeout(90_000);
  let turns: Turns;
  let cli: Cli;
  before(async () => {
    turns = await openTurns();
    cli = new Cli(turns.shop.dataFolder);
  });
  after(async () => {
    await turns.shop.dispose();
  });

  it('go back, take it back and branch, each when it is done', async () => {
    const id = await turns.work(2);
    const back = await cli.run(['back', id.slice(-8), '1']);
    assert.deepEqual([back.code, back.stdout], [0, 'code and conversation of turn 1\n'], back.stderr);
    assert.equal(await turns.all(id), '1\n');
    const undone = await cli.run(['back', id, '--undo']);
    assert.deepEqual([undone.code, await turns.all(id)], [0, '1\n2\n'], undone.stderr);
    const code = await cli.run(['back', id, '1', '--code']);
    assert.deepEqual([code.code, code.stdout], [0, 'code of turn 1\n'], code.stderr);
    const branched = await cli.run(['branch', id, '2', '--title', 'Other']);
    assert.match(branched.stdout, /^ses_[0-9a-z]{26}\n$/);
    const { title } = await turns.shop.client.call('session.get', { sessionId: branched.stdout.trim() });
    assert.equal(title, 'Other');
    const diff = await cli.run(['diff', id, '--from', 'turn:1', '--to', 'turn:2']);
    assert.match(diff.stdout, /\+\+\+ b\/2\.txt/);
    const logs = await cli.run(['logs', id]);
    assert.match(logs.stdout, /restoring code and conversation of turn 1/);
  });

  it('say why they could not', async () => {
    const id = await turns.work(1);
    const none = await cli.run(['back', id, '7']);
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(none.stderr, /There is no turn 7/);
    assert.equal((await cli.run(['back', id])).code, 1);
    assert.equal((await cli.run(['back', id, 'one'])).code, 2);
    assert.match((await cli.run(['back', id, '--undo'])).stderr, /no restore to take back/);
  });
});
