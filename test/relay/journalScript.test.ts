import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { requireOrSkip } from '../support/requirement.ts';

const SCRIPT = join(import.meta.dirname, '../../server/src/journal/agent-run.sh');
const FIRST = '0000000009';
const SECOND = '0000000010';
const SHELLS = [
  { name: 'sh', file: '/bin/sh', args: [] },
  { name: 'bash', file: '/bin/bash', args: ['--posix'] },
];

/** The script by itself, in the shells that /bin/sh may be; busybox passes, too, where it is. */
for (const shell of SHELLS) {
  describe(`agent-run.sh in ${shell.name}`, () => {
    let folder = '';
    let journal = '';
    const started: ChildProcess[] = [];

    const start = (...argv: string[]): ChildProcess => startBy(FIRST, ...argv);
    const startBy = (epoch: string, ...argv: string[]): ChildProcess => {
      const child = spawn(shell.file, [...shell.args, SCRIPT, journal, epoch, '--', ...argv], {
        detached: true,
        stdio: 'inherit',
      });
      started.push(child);
      return child;
    };
    const read = async (name: string): Promise<string> => readFile(join(journal, name), 'utf8');
    const input = async (name: string, text: string, epoch = FIRST): Promise<void> => {
      const folder = join(journal, 'in', epoch);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${name}.tmp`), text);
      await rename(join(folder, `${name}.tmp`), join(folder, name));
    };

    before(function () {
      requireOrSkip(this, `agent-run.sh in ${shell.name}`, existsSync(shell.file), `${shell.file} is not installed`);
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-journal-'));
      journal = join(folder, 'it has spaces');
    });
    afterEach(async () => {
      started.splice(0).forEach(child => killSession(child.pid));
      await rm(folder, { recursive: true, force: true });
    });

    it('feeds what stood before and what comes after, then ends', async () => {
      await input('000001', 'one\n');
      await input('000002', 'two\n');
      const child = start('cat');
      await eventually(async () => assert.equal(await read('out'), 'one\ntwo\n'));
      await input('000004', 'four\n');
      await input('000003', 'three\n');
      await input('eof', '');
      await once(child, 'exit');
      assert.equal(await read('out'), 'one\ntwo\nthree\nfour\n');
      assert.equal(await read('exit'), '0\n');
      // The ticker's last sleep may still be ending.
      await eventually(() => assert.deepEqual(sessionOf(child.pid), []), 3000);
    });

    it('hears the relay of the highest epoch alone, and takes no number twice', async () => {
      const child = start('cat');
      await input('000001', 'one\n');
      await eventually(async () => assert.equal(await read('out'), 'one\n'));
      await input('claim', '', SECOND);
      await input('000002', 'not heard\n');
      await input('eof', '');
      await input('000001', 'one\n', SECOND);
      await input('000002', 'two\n', SECOND);
      await eventually(async () => assert.equal(await read('out'), 'one\ntwo\n'));
      await input('000003', 'not heard either\n');
      await input('000003', 'three\n', SECOND);
      await input('eof', '', SECOND);
      await once(child, 'exit');
      assert.equal(await read('out'), 'one\ntwo\nthree\n');
    });

    it('starts nothing for a relay that was taken over from', async () => {
      await input('claim', '', SECOND);
      const [code] = await once(start('echo', 'late'), 'exit');
      assert.equal(code, 75);
      assert.equal(existsSync(join(journal, 'out')), false);
      await input('eof', '', SECOND);
      await once(startBy(SECOND, 'echo', 'right'), 'exit');
      assert.equal(await read('out'), 'right\n');
    });

    it('runs a program once', async () => {
      await input('eof', '');
      await once(start('echo', 'once'), 'exit');
      const [code] = await once(start('echo', 'twice'), 'exit');
      assert.equal(code, 0);
      assert.equal(await read('out'), 'once\n');
    });

    it('records codes, signals and a missing program', async () => {
      for (const [script, code] of [
        ['exit 7', '7\n'],
        ['kill -9 $$', '137\n'],
        ['exec no-such-program', '127\n'],
      ]) {
        await rm(journal, { recursive: true, force: true });
        await once(start('sh', '-c', script ?? ''), 'exit');
        assert.equal(await read('exit'), code);
      }
      await rm(journal, { recursive: true, force: true });
      await once(start('no-such-program'), 'exit');
      assert.equal(await read('exit'), '127\n');
      assert.match(await read('err'), /no-such-program/);
    });

    it('passes TERM on and waits for the code that the program ends with', async () => {
      const child = start('sh', '-c', 'trap "sleep 0.2; exit 9" TERM; echo up; while :; do sleep 0.05; done');
      await eventually(async () => assert.equal(await read('out'), 'up\n'));
      await eventually(async () => assert.ok(Number(await read('pid')) > 1));
      child.kill('SIGTERM');
      await once(child, 'exit');
      assert.equal(await read('exit'), '9\n');
      await eventually(() => assert.deepEqual(sessionOf(child.pid), []), 3000);
    });

    it('leaves nothing behind when the program ends while input waits for it', async () => {
      // More than a FIFO holds, so the feeder is in the middle of it, and a child that keeps the FIFO open.
      await input('000001', 'x'.repeat(1_000_000));
      const child = start('sh', '-c', '(sleep 1000 &) ; sleep 0.2; exit 3');
      await once(child, 'exit');
      assert.equal(await read('exit'), '3\n');
      const left = () => sessionOf(child.pid).filter(line => !line.includes('sleep 1000'));
      await eventually(() => assert.deepEqual(left(), []), 3000);
    });

    it('says how it is used', async () => {
      for (const args of [[journal], [journal, '--', 'cat'], [journal, FIRST, '--']]) {
        const [code] = await once(spawn(shell.file, [...shell.args, SCRIPT, ...args], { stdio: 'ignore' }), 'exit');
        assert.equal(code, 64);
      }
    });
  });
}

/** Command lines of a session: everything that a detached child started, but for sessions of their own. */
function sessionOf(leader: number | undefined): string[] {
  return processes()
    .filter(entry => entry.session === leader)
    .map(entry => entry.command);
}

function killSession(leader: number | undefined): void {
  for (const entry of processes().filter(candidate => candidate.session === leader)) {
    try {
      process.kill(entry.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

function processes(): { pid: number; session: number; command: string }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return state === 'Z' ? [] : [{ pid: Number(pid), session: Number(session), command }];
      } catch {
        return [];
      }
    });
}
