import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { scripted } from '../support/modelScript.ts';
import { movableClock, type MovableClock } from '../support/movableClock.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const HOUR = 3600_000;
const PROMPT = scripted('Do', [{ tool: 'Bash', input: { command: 'echo 1 > nightly.txt' } }, { text: 'Ok.' }]);

describe('schedules', function () {
  this.timeout(480_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let clock: MovableClock;
  let shop: Workshop;
  let nudges = 0;

  before(async () => {
    scratch = await temporaryFolder();
    clock = await movableClock(scratch.path);
    shop = await openWorkshop({ ...clock.env, SANDPIPER_LEASE_MS: '1000', SANDPIPER_WEBHOOK_RETRY_MS: '20' });
  });
  after(async () => {
    await shop.dispose();
    await scratch.remove();
  });

  const add = (name: string, cron: string, more: { maxPerHour?: number; title?: string } = {}) =>
    shop.client.call('schedules.add', {
      name,
      cron,
      timeZone: 'UTC',
      source: shop.repository,
      prompt: PROMPT,
      ...more,
    });
  const firings = async (name: string, kind = 'schedule') =>
    (await shop.client.call('triggers.list', { trigger: `${kind} ${name}`, limit: 500 })).firings;
  const begun = async (title: string) =>
    (await shop.client.call('session.list', { limit: 500 })).sessions.filter(one => one.title === title);

  /** The firings once there are so many, all of them over. */
  function over(name: string, count: number, kind = 'schedule') {
    return eventually(async () => {
      const found = await firings(name, kind);
      assert.ok(
        found.length >= count && found.every(({ state }) => state !== 'waiting'),
        `${JSON.stringify(found)}\n${shop.relay.log.slice(-2000)}`,
      );
      return found;
    }, 60_000);
  }

  /** Has the relay look at its schedules now: its clock was moved, and not the one by which it waits. */
  async function nudge(): Promise<void> {
    const name = `nudge-${++nudges}`;
    await add(name, '0 0 1 1 *');
    await shop.client.call('schedules.remove', { name });
  }

  /**
   * Kills the relay and starts another one with its clock set. Resolves when that has looked: `probe` is due every minute,
   * comes last, and begins nothing.
   */
  async function restartAt(offsetMs: number): Promise<void> {
    await shop.relay.stop('SIGKILL');
    await clock.move(offsetMs);
    await shop.relay.start();
    await eventually(async () => {
      await nudge();
      const minute = Math.floor((Date.now() + offsetMs) / 60_000) * 60_000;
      assert.ok((await firings('probe')).some(({ at }) => at >= minute && at <= minute + 60_000));
    }, 60_000);
  }

  it('begin one session at a due time, of those that were missed only for the newest, whichever way clocks go', async () => {
    const { schedule } = await add('hourly', '30 * * * *');
    await add('probe', '* * * * *', { maxPerHour: 1 });
    const first = schedule.nextAt ?? 0;
    assert.ok(first > Date.now() && first <= Date.now() + HOUR);
    assert.equal(new Date(first).getUTCMinutes(), 30);
    const untilFirst = first - Date.now();
    // It comes, and once, though the relay is killed again and again.
    await restartAt(untilFirst + 1000);
    assert.deepEqual(
      (await over('hourly', 1)).map(({ at, state, reason }) => [at, state, reason]),
      [[first, 'begun', undefined]],
    );
    await restartAt(untilFirst + 61_000);
    await restartAt(untilFirst + 121_000);
    assert.equal((await over('hourly', 1)).length, 1);
    // Five hours without a relay.
    await restartAt(untilFirst + 5 * HOUR + 1000);
    const [newest, ...others] = await over('hourly', 2);
    assert.deepEqual([newest?.at, newest?.state, others.length], [first + 5 * HOUR, 'begun', 1]);
    assert.equal(newest?.reason, '4 earlier due times were missed while the relay was away; only this one counts.');
    // Back, and over the same due time once more.
    await restartAt(untilFirst + 4 * HOUR + 1000);
    const back = await over('hourly', 3);
    assert.deepEqual(
      back.map(({ at }) => (at - first) / HOUR),
      [4, 5, 0],
    );
    await restartAt(untilFirst + 5 * HOUR + 60_000);
    assert.equal((await over('hourly', 3)).length, 3);
    assert.equal((await begun('hourly')).length, 3);
    const { schedules } = await shop.client.call('schedules.list', {});
    const found = schedules.find(({ name }) => name === 'hourly');
    assert.deepEqual([found?.lastAt, found?.nextAt], [first + 5 * HOUR, first + 6 * HOUR]);
    await clock.move(0);
    // What is added while the clock of the relay is still another one is not due before that.
    await eventually(async () => {
      const probe = (await shop.client.call('schedules.list', {})).schedules.find(({ name }) => name === 'probe');
      assert.ok((probe?.nextAt ?? Infinity) < Date.now() + 120_000);
    });
    for (const name of ['hourly', 'probe']) {
      await shop.client.call('schedules.remove', { name });
    }
  });

  it('begin no more than are allowed in an hour, and say so', async () => {
    const { schedule } = await add('often', '* * * * *', { maxPerHour: 2 });
    const first = schedule.nextAt ?? 0;
    for (const minute of [0, 1, 2]) {
      await clock.move(first + minute * 60_000 - Date.now() + 500);
      await eventually(async () => {
        await nudge();
        assert.ok((await firings('often')).length > minute);
      }, 30_000);
    }
    const found = (await over('often', 3)).toReversed().slice(0, 3);
    assert.deepEqual(
      found.map(({ at, state }) => [(at - first) / 60_000, state]),
      [
        [0, 'begun'],
        [1, 'begun'],
        [2, 'refused'],
      ],
    );
    assert.equal(found[2]?.reason, 'More than 2 came within an hour.');
    await shop.client.call('schedules.remove', { name: 'often' });
    await clock.move(0);
  });

  it('are added, listed, begun by hand and removed on the command line, and do the work', async () => {
    const cli = new Cli(shop.dataFolder);
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await cli.run(['schedules', ...args]);
      return `${stdout}${stderr}`;
    };
    const file = join(scratch.path, 'prompt.md');
    await writeFile(file, PROMPT);
    const more = ['--repo', shop.repository, '--prompt-file', file];
    const added = await run(
      'add',
      'nightly',
      '--cron',
      '0 3 * * 1-5',
      '--zone',
      'Europe/Berlin',
      '--title',
      'Night',
      ...more,
    );
    assert.match(
      added,
      /^nightly {2}"0 3 \* \* 1-5" Europe\/Berlin {2}\S+ {2}autopilot {2}last never {2}next 20\S+Z\n$/,
    );
    assert.match(await run('add', 'nightly', '--cron', '0 4 * * *', ...more), /There is a schedule "nightly"/);
    assert.match(await run('add', 'wrong', '--cron', '0 25 * * *', ...more), /"25" is no hour/);
    await assert.rejects(add('wrong', '0 0 30 2 *'), { code: 'invalid_params', message: /is never due/ });
    assert.equal(await run('list'), added);
    assert.match(await run('run', 'nightly'), /^begins: "by-hand nightly [0-9a-f]{16}"\n$/);
    await assert.rejects(shop.client.call('schedules.run', { name: 'unknown' }), { code: 'not_found' });
    const [firing] = await over('nightly', 1, 'by-hand');
    assert.equal(firing?.state, 'begun');
    const done = (state: { turns: { checkpoint?: unknown }[] }) => state.turns[0]?.checkpoint !== undefined;
    const { turns } = await shop.until(firing.sessionId ?? '', 'is done', done, 60_000);
    assert.equal(turns[0]?.checkpoint?.changed, true);
    assert.equal((await begun('Night')).length, 1);
    assert.equal(await run('remove', 'nightly'), 'removed\n');
    assert.equal(await run('list'), '');
  });

  it('are added and begun by hand once, however often that call is repeated', async () => {
    const params = { name: 'once', cron: '0 3 * * *', timeZone: 'UTC', source: shop.repository, prompt: PROMPT };
    const { schedule } = await shop.client.call('schedules.add', { ...params, key: 'add-the-same' });
    assert.deepEqual((await shop.client.call('schedules.add', { ...params, key: 'add-the-same' })).schedule, schedule);
    const { firing } = await shop.client.call('schedules.run', { name: 'once', key: 'run-the-same' });
    assert.deepEqual(await shop.client.call('schedules.run', { name: 'once', key: 'run-the-same' }), { firing });
    assert.equal((await over('once', 1, 'by-hand')).length, 1);
    await shop.client.call('schedules.remove', { name: 'once' });
  });
});
