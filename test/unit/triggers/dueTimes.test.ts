import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseCron } from '../../../server/src/triggers/cron.ts';
import { newestDue, nextDue } from '../../../server/src/triggers/dueTimes.ts';
import { TimeZone } from '../../../server/src/triggers/timeZone.ts';

const utc = (text: string) => Date.parse(`${text}Z`);
const shown = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString().slice(0, 16));

/** The next due times. */
function next(cron: string, after: string, zone = 'UTC', count = 1): string[] {
  const found: string[] = [];
  let at: number | undefined = utc(after);
  while (at !== undefined && found.length < count) {
    at = nextDue(parseCron(cron), new TimeZone(zone), at);
    found.push(shown(at));
  }
  return found;
}

describe('a schedule', () => {
  it('is due when all of its fields say so', () => {
    const cases: [string, string, string[]][] = [
      ['* * * * *', '2026-03-01T10:00', ['2026-03-01T10:01', '2026-03-01T10:02']],
      ['*/20 * * * *', '2026-03-01T10:41', ['2026-03-01T11:00', '2026-03-01T11:20']],
      ['0 3 * * 1-5', '2026-03-06T03:00', ['2026-03-09T03:00', '2026-03-10T03:00']],
      ['30 9 1,15 * *', '2026-03-01T09:30', ['2026-03-15T09:30', '2026-04-01T09:30']],
      ['0 0 * jan,JUL sun', '2026-03-01T00:00', ['2026-07-05T00:00', '2026-07-12T00:00']],
      ['0 0 * * 7', '2026-03-01T00:00', ['2026-03-08T00:00', '2026-03-15T00:00']],
      ['5-10/5 23-23 31 12 *', '2026-03-01T00:00', ['2026-12-31T23:05', '2026-12-31T23:10']],
      // Both kinds of day: one is enough.
      ['0 0 13 * 5', '2026-03-01T00:00', ['2026-03-06T00:00', '2026-03-13T00:00']],
      ['0 0 29 2 *', '2026-03-01T00:00', ['2028-02-29T00:00', '2032-02-29T00:00']],
      ['0 0 30 2 *', '2026-03-01T00:00', ['never']],
      ['0 0 31 4,6 *', '2026-03-01T00:00', ['never']],
    ];
    for (const [cron, after, due] of cases) {
      assert.deepEqual(next(cron, after, 'UTC', due.length), due, cron);
    }
  });

  it('is what clocks show in its time zone', () => {
    assert.deepEqual(next('0 3 * * *', '2026-01-10T00:00', 'Asia/Kolkata'), ['2026-01-10T21:30']);
    assert.deepEqual(next('0 0 1 * *', '2026-01-10T00:00', 'Pacific/Kiritimati'), ['2026-01-31T10:00']);
    assert.deepEqual(next('0 23 31 * *', '2026-01-10T00:00', 'Pacific/Honolulu'), ['2026-02-01T09:00']);
    assert.deepEqual(next('15 12 * * *', '2026-01-10T00:00', 'Asia/Kathmandu'), ['2026-01-10T06:30']);
  });

  it('is due once on days when clocks are changed', () => {
    // Berlin: 29 March 2026 02:00 becomes 03:00, 25 October 03:00 becomes 02:00.
    assert.deepEqual(next('30 2 * * *', '2026-03-28T00:00', 'Europe/Berlin', 3), [
      '2026-03-28T01:30',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ]);
    assert.deepEqual(next('30 2 * * *', '2026-10-24T00:00', 'Europe/Berlin', 3), [
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    assert.deepEqual(next('0 2,3 * * *', '2026-03-28T12:00', 'Europe/Berlin', 2), [
      '2026-03-29T01:00',
      '2026-03-30T00:00',
    ]);
    // Lord Howe changes by half an hour, Santiago at midnight.
    assert.deepEqual(next('45 1 * * *', '2026-04-03T20:00', 'Australia/Lord_Howe', 2), [
      '2026-04-04T14:45',
      '2026-04-05T15:15',
    ]);
    assert.deepEqual(next('10 2 * * *', '2026-10-02T20:00', 'Australia/Lord_Howe', 2), [
      '2026-10-03T15:30',
      '2026-10-04T15:10',
    ]);
    assert.deepEqual(next('0 0 * * *', '2026-09-05T05:00', 'America/Santiago', 2), [
      '2026-09-06T04:00',
      '2026-09-07T03:00',
    ]);
  });

  it('follows the hours as they pass when it is due in each', () => {
    assert.deepEqual(next('30 * * * *', '2026-03-29T00:00', 'Europe/Berlin', 3), [
      '2026-03-29T00:30',
      '2026-03-29T01:30',
      '2026-03-29T02:30',
    ]);
    assert.deepEqual(next('30 * * * *', '2026-10-25T00:00', 'Europe/Berlin', 3), [
      '2026-10-25T00:30',
      '2026-10-25T01:30',
      '2026-10-25T02:30',
    ]);
  });

  it('finds the newest that was missed, and how many came before it', () => {
    const newest = (cron: string, after: string, upTo: string) => {
      const found = newestDue(parseCron(cron), new TimeZone('UTC'), { after: utc(after), upTo: utc(upTo) });
      return found && [shown(found.at), found.earlier];
    };
    assert.deepEqual(newest('0 3 * * *', '2026-03-01T03:00', '2026-03-04T02:59'), ['2026-03-03T03:00', 1]);
    assert.deepEqual(newest('0 3 * * *', '2026-03-01T03:00', '2026-03-02T03:00'), ['2026-03-02T03:00', 0]);
    assert.equal(newest('0 3 * * *', '2026-03-01T03:00', '2026-03-02T02:59'), undefined);
    assert.equal(newest('0 3 * * *', '2026-03-02T03:00', '2026-03-01T03:00'), undefined);
    assert.deepEqual(newest('0 0 29 2 *', '2020-03-01T00:00', '2028-02-28T00:00'), ['2024-02-29T00:00', 0]);
    const [at, earlier] = newest('* * * * *', '2016-01-01T00:00', '2026-01-01T00:00') ?? [];
    assert.equal(at, '2026-01-01T00:00');
    assert.ok(Number(earlier) >= 1000 && Number(earlier) < 5000);
  });

  it('is refused with what is wrong in it', () => {
    const wrong = ['', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *'];
    const strange = [
      '* * * * 8',
      '5-1 * * * *',
      '*/0 * * * *',
      '5/2 * * * *',
      '-1 * * * *',
      '1,,2 * * * *',
      'a * * * *',
    ];
    const hostile = ['mon * * * *', '* * * mon *', '@daily', '1e1 * * * *', '0x1 * * * *', '1- * * * *', '* * L * *'];
    for (const cron of [...wrong, ...strange, ...hostile, `${'1,'.repeat(10_000)}x * * * *`]) {
      assert.throws(() => parseCron(cron), { code: 'invalid_params' }, cron.slice(0, 40));
    }
    assert.throws(() => new TimeZone('Mars/Olympus'), { code: 'invalid_params' });
  });
});
