import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linuxProcesses, markIn, parseStat, parseUsage } from '../../../server/src/sandboxes/local/linuxProcesses.ts';
import { selectProcesses } from '../../../server/src/sandboxes/local/processTable.ts';
import type { ProcessEntry } from '../../../server/src/sandboxes/local/processTable.ts';
import { parseLine } from '../../../server/src/sandboxes/local/psProcesses.ts';
import { requireOrSkip } from '../../support/requirement.ts';

function entry(pid: number, parent: number, mark = '', ended = false): ProcessEntry {
  return { pid, parent, mark, ended, born: `b/${pid}` };
}

describe('selectProcesses', () => {
  const entries = [
    entry(1, 0),
    entry(10, 1, 'one:agent'),
    entry(11, 10),
    entry(12, 11),
    entry(13, 10, '', true),
    entry(14, 13),
    entry(20, 1, 'two:agent'),
    entry(30, 1),
    entry(31, 30),
  ];
  const pids = (matches: (mark: string) => boolean, known: string[] = []): number[] =>
    selectProcesses(entries, matches, new Set(known)).map(selected => selected.pid);

  it('finds the marked with all their descendants, and no ended ones', () => {
    assert.deepEqual(
      pids(mark => mark === 'one:agent'),
      [10, 11, 12, 14],
    );
    assert.deepEqual(
      pids(mark => mark.startsWith('three')),
      [],
    );
  });

  it('finds the recorded only when they are still the same process', () => {
    assert.deepEqual(
      pids(() => false, ['30 b/30']),
      [30, 31],
    );
    assert.deepEqual(
      pids(() => false, ['30 b/other']),
      [],
    );
  });

  it('never finds this process, init, or a process without a mark', () => {
    const own = [entry(process.pid, 1, 'x'), entry(1, 0, 'x'), entry(0, 0, '')];
    assert.deepEqual(
      selectProcesses(own, () => true, new Set()),
      [],
    );
  });
});

describe('the processes of Linux', () => {
  it('kill the one that was meant, and not another that has its number by now', async function () {
    requireOrSkip(this, 'the processes of Linux', process.platform === 'linux', 'it is another system');
    const table = linuxProcesses();
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      const meant = await table.identify(child.pid ?? 0);
      assert.ok(meant);
      await table.kill({ ...meant, born: `${meant.born}0` });
      assert.deepEqual(await table.identify(meant.pid), meant);
      const ended = once(child, 'exit');
      await table.kill(meant);
      assert.deepEqual(await ended, [null, 'SIGKILL']);
      await table.kill(meant);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('parseStat', () => {
  const rest = `S 7 8 9 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 4711 1000 10`;

  it('reads past any name', () => {
    for (const name of ['sh', 'a b', 'a) S 1 (b', '))']) {
      assert.deepEqual(parseStat(`42 (${name}) ${rest}`, 'boot'), { parent: 7, ended: false, born: 'boot/4711' });
    }
    assert.equal(parseStat(`42 (sh) ${rest.replace('S', 'Z')}`, 'boot')?.ended, true);
  });

  it('has nothing to say of a process that went', () => {
    assert.equal(parseStat('', 'boot'), undefined);
    assert.equal(parseStat('42 (sh) S', 'boot'), undefined);
  });
});

describe('markIn', () => {
  it('finds the variable and no other', () => {
    assert.equal(markIn('A=1\0SANDPIPER_SANDBOX=snd_x/i:agent\0B=2\0'), 'snd_x/i:agent');
    assert.equal(markIn('XSANDPIPER_SANDBOX=a\0SANDPIPER_SANDBOXES=b\0'), '');
    assert.equal(markIn(''), '');
  });
});

describe('parseLine of ps', () => {
  it('reads number, parent, state, start and mark', () => {
    assert.deepEqual(
      parseLine('  501     1 Ss   Fri Nov 21 09:05:01 2026     /bin/sleep 9 HOME=/x SANDPIPER_SANDBOX=m:a PATH=/y'),
      {
        pid: 501,
        parent: 1,
        ended: false,
        born: 'Fri Nov 21 09:05:01 2026',
        mark: 'm:a',
      },
    );
    assert.equal(parseLine('7 1 Z Fri Nov 21 09:05:01 2026 (sh)')?.ended, true);
    assert.equal(parseLine(''), undefined);
  });
});

describe('parseUsage', () => {
  const stat = (state: string) =>
    `42 (a ) b) ${state} 1 42 42 0 -1 4194560 900 80 0 0 7 5 30 8 20 0 11 0 4242 1000 200 18446744073709551615`;

  it('adds the time of children that have ended, and knows who is held', () => {
    assert.deepEqual(parseUsage(stat('S')), { ticks: 50, held: false });
    assert.deepEqual(parseUsage(stat('T')), { ticks: 50, held: true });
    assert.equal(parseUsage(''), undefined);
  });
});
