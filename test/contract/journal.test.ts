import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandpiperError } from '../../protocol/errors.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { JournalSegment } from '../../server/src/journal/journalSegment.ts';
import type { TailEnd, TailOptions } from '../../server/src/journal/journalTail.ts';
import type { JournalLine } from '../../server/src/journal/lineSplitter.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';
import { linuxProcesses } from '../../server/src/sandboxes/local/linuxProcesses.ts';
import type { Sandbox, SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import { requireOrSkip } from '../support/requirement.ts';

const path = process.env['PATH'] ?? '';

for (const [platform, isolation] of [
  ['linux', 'process'],
  ['darwin', 'none'],
] as const) {
  describe(`journal, isolation ${isolation}`, function () {
    this.timeout(40_000);
    let folder = '';
    let provider: SandboxProvider;
    let sandbox: Sandbox;
    let segment: JournalSegment;
    const following: Following[] = [];

    const open = (): SandboxProvider =>
      createLocalProvider({ folder: join(folder, 'storage'), log: silentLogger, path, platform });
    const follow = (options: Partial<TailOptions> = {}, from = segment): Following => {
      const one = new Following(from, options);
      following.push(one);
      return one;
    };
    const start = async (...argv: string[]): Promise<void> =>
      segment.start(argv, { cwd: sandbox.paths.workspace, env: { LANG: 'C' } });

    before(async function () {
      const probe = await createLocalProvider({ folder: '', log: silentLogger, path, platform }).probe();
      const right = probe.available && probe.capabilities.isolation === isolation;
      requireOrSkip(this, `journal, isolation ${isolation}`, right, probe.reason ?? '');
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-journal-'));
      provider = open();
      sandbox = await provider.create({ key: 'session', acceptNoIsolation: true, mounts: [] });
      segment = new JournalSegment(sandbox, 'agent-1', `${sandbox.paths.journal}/1`, 1);
    });
    afterEach(async () => {
      following.splice(0).forEach(one => one.tail.dispose());
      await provider.destroy(sandbox.ref);
      await rm(folder, { recursive: true, force: true });
    });

    it('gives what was written to the program and its output back, in order, to the end', async () => {
      await segment.write({ number: 1, line: 'before the start\n' });
      await start('cat');
      const one = follow();
      await segment.write({ number: 2, line: 'äöü €\n' });
      await eventually(() => assert.deepEqual(one.texts, ['before the start', 'äöü €']));
      assert.equal(await segment.exit(), undefined);
      assert.equal(await segment.alive(), true);
      await segment.writeEof();
      await eventually(() => assert.deepEqual(one.end, { exitCode: 0, rest: '' }));
      assert.deepEqual(await segment.exit(), { code: 0 });
      await eventually(async () => assert.equal(await segment.alive(), false));
    });

    it('starts once', async () => {
      await start('sh', '-c', 'echo started; exec cat');
      await rejects(start('sh', '-c', 'echo again'), 'conflict');
      const one = follow();
      await segment.writeEof();
      await eventually(() => assert.equal(one.end?.exitCode, 0));
      await eventually(async () => assert.equal(await segment.alive(), false));
      await start('sh', '-c', 'echo again');
      await eventually(async () => assert.equal(await segment.alive(), false));
      const second = follow();
      await eventually(() => assert.ok(second.end));
      assert.deepEqual(second.texts, ['started']);
    });

    it('passes an input once, however often it is written', async () => {
      await segment.write({ number: 1, line: 'one\n' });
      await segment.write({ number: 1, line: 'one\n' });
      await start('cat');
      const one = follow();
      await eventually(() => assert.deepEqual(one.texts, ['one']));
      await segment.write({ number: 1, line: 'one\n' });
      await segment.write({ number: 2, line: 'two\n' });
      await segment.write({ number: 2, line: 'two\n' });
      await segment.writeEof();
      await segment.writeEof();
      await eventually(() => assert.ok(one.end));
      assert.deepEqual(one.texts, ['one', 'two']);
      await rejects(segment.write({ number: 0, line: 'x\n' }), 'invalid_params');
    });

    it('keeps 1,000 inputs in order that were written in none', async () => {
      const numbers = Array.from({ length: 1000 }, (_, index) => index + 1);
      await start('cat');
      const one = follow();
      for (const number of numbers.toReversed()) {
        await segment.write({ number, line: `line ${number}\n` });
      }
      await segment.writeEof();
      await eventually(() => assert.ok(one.end), 30_000);
      assert.deepEqual(
        one.texts,
        numbers.map(number => `line ${number}`),
      );
    });

    it('goes on from an offset, in another relay, without loss or double', async () => {
      await start('sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo "línea $i"; i=$((i+1)); done; exec cat');
      const first = follow();
      await eventually(() => assert.ok(first.lines.length > 300));
      first.tail.dispose();
      const kept = first.lines.slice(0, 123);
      const attached = await open().attach(sandbox.ref);
      const again = new JournalSegment(attached, 'agent-1', `${attached.paths.journal}/1`, 1);
      const second = follow({ fromOffset: kept.at(-1)?.endOffset ?? 0 }, again);
      await again.writeEof();
      await eventually(() => assert.ok(second.end));
      const all = [...kept, ...second.lines].map(line => line.text);
      assert.deepEqual(
        all,
        Array.from({ length: 2000 }, (_, index) => `línea ${index}`),
      );
    });

    it('passes a line of 8 MB whole, both ways', async () => {
      const line = `${'sandpiper – €uro '.repeat(440_000)}`;
      assert.ok(Buffer.byteLength(line) > 8_000_000);
      await start('cat');
      const one = follow();
      await segment.write({ number: 1, line: `${line}\n` });
      await segment.write({ number: 2, line: 'after\n' });
      await eventually(() => assert.equal(one.lines.length, 2));
      assert.ok(one.texts[0] === line);
      assert.equal(one.texts[1], 'after');
    });

    it('tells how the program ended', async () => {
      const cases: [string[], number][] = [
        [['sh', '-c', 'exit 42'], 42],
        [['sh', '-c', 'kill -TERM $$'], 143],
        [['no-such-agent'], 127],
      ];
      for (const [index, [argv, exitCode]] of cases.entries()) {
        segment = new JournalSegment(sandbox, `case-${index}`, `${sandbox.paths.journal}/case-${index}`, 1);
        await start(...argv);
        const one = follow();
        await eventually(() => assert.equal(one.end?.exitCode, exitCode));
      }
      assert.match(await segment.errTail(1000), /no-such-agent/);
      assert.equal((await segment.errTail(5)).length, 5);
    });

    it('notices that the program was killed with its script', async () => {
      await start('sh', '-c', 'echo up; printf torn; exec sleep 1000');
      const one = follow();
      await eventually(async () => {
        assert.equal((await sandbox.readFrom(`${sandbox.paths.journal}/1/out`, 0, 99)).data.toString(), 'up\ntorn');
      });
      await segment.kill();
      await eventually(() => assert.deepEqual(one.end, { exitCode: undefined, rest: 'torn' }));
      assert.deepEqual(one.texts, ['up']);
      assert.equal(await segment.exit(), undefined);
    });

    it('holds an unfinished line back until it is finished', async () => {
      await start('sh', '-c', 'printf "half "; read -r line; echo "whole $line"; printf rest');
      const one = follow();
      await eventually(async () =>
        assert.ok((await sandbox.readFrom(`${sandbox.paths.journal}/1/out`, 0, 9)).data.length),
      );
      assert.deepEqual(one.texts, []);
      await segment.write({ number: 1, line: 'now\n' });
      await eventually(() => assert.deepEqual(one.end, { exitCode: 0, rest: 'rest' }));
      assert.deepEqual(one.lines, [{ text: 'half whole now', endOffset: 15 }]);
    });

    it('waits for a slow taker, and says when it failed', async () => {
      await start('sh', '-c', 'seq 100000; exec cat');
      let inside = 0;
      let most = 0;
      const seen: string[] = [];
      const slow = follow({
        onLines: async lines => {
          most = Math.max(most, ++inside);
          await new Promise(resolve => setTimeout(resolve, 20));
          seen.push(...lines.map(line => line.text));
          inside--;
        },
      });
      const failing = follow({ onLines: () => Promise.reject(new Error('no more')) });
      await eventually(() => assert.equal(seen.length, 100_000));
      assert.equal(most, 1);
      assert.equal(seen.at(-1), '100000');
      await eventually(() => assert.match(failing.error?.message ?? '', /no more/));
      slow.tail.dispose();
      await segment.write({ number: 1, line: 'unheard\n' });
      await sandbox.exec(['sleep', '0.3'], { timeoutMs: 9000 });
      assert.equal(seen.length, 100_000);
    });

    it('says that the sandbox is gone', async () => {
      await start('cat');
      const one = follow();
      await provider.destroy(sandbox.ref);
      await eventually(() => assert.equal(one.error?.code, 'sandbox_gone'));
    });

    it('feeds within a second even when nobody wakes it', async () => {
      await start('cat');
      const one = follow();
      await segment.write({ number: 1, line: 'first\n' });
      await eventually(() => assert.deepEqual(one.texts, ['first']));
      await sandbox.writeFile(`${sandbox.paths.journal}/1/in/0000000001/000002`, Buffer.from('unannounced\n'));
      await eventually(() => assert.deepEqual(one.texts, ['first', 'unannounced']), 3000);
    });

    it('leaves no process when the program ends', async () => {
      await segment.write({ number: 1, line: 'x'.repeat(1_000_000) });
      await start('sh', '-c', 'sleep 0.3; exit 5');
      const one = follow();
      const processes = async () =>
        (await linuxProcesses().list()).filter(entry => entry.mark.startsWith(`${sandbox.ref.id}/`));
      await eventually(async () => {
        const seen = { error: one.error, processes: one.end ? [] : await processes() };
        assert.deepEqual(one.end, { exitCode: 5, rest: '' }, JSON.stringify(seen));
      }, 20_000);
      await eventually(async () => {
        const left = await processes();
        assert.deepEqual(
          left.filter(entry => !entry.ended),
          [],
        );
      });
    });

    it('takes milliseconds from a message to its answer', async function () {
      await start('cat');
      const one = follow();
      const tookMs: number[] = [];
      for (let number = 1; number <= 300; number++) {
        const began = performance.now();
        await segment.write({ number, line: `message ${number}\n` });
        await one.until(number);
        tookMs.push(performance.now() - began);
      }
      tookMs.sort((a, b) => a - b);
      const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? Infinity;
      console.log(
        `        write -> stdin -> stdout -> onLines: p50 ${at(0.5).toFixed(2)} ms, p99 ${at(0.99).toFixed(2)} ms`,
      );
      assert.ok(at(0.5) < 50, 'the wake did not work: the safety net takes half a second');
    });

    it('reads lines cheaply', async () => {
      await start('sh', '-c', `yes '${'x'.repeat(200)}' | head -n 200000; exec cat`);
      await eventually(async () =>
        assert.ok((await sandbox.readFrom(`${sandbox.paths.journal}/1/out`, 40_199_999, 1)).data.length),
      );
      const began = performance.now();
      const one = follow();
      await one.until(200_000);
      const eachUs = ((performance.now() - began) * 1000) / 200_000;
      console.log(`        ${eachUs.toFixed(2)} us a line of 200 bytes`);
      assert.ok(eachUs < 100);
    });
  });
}

/** Collects what a tail gives. */
class Following {
  readonly lines: JournalLine[] = [];
  readonly tail: { dispose(): void };
  end: TailEnd | undefined;
  error: SandpiperError | undefined;
  #waiting: { count: number; resolve: () => void } | undefined;

  constructor(segment: JournalSegment, options: Partial<TailOptions>) {
    this.tail = segment.follow({
      fromOffset: 0,
      onLines: lines => {
        // Not spread: a stack has an end.
        lines.forEach(line => this.lines.push(line));
        if (this.#waiting !== undefined && this.lines.length >= this.#waiting.count) {
          this.#waiting.resolve();
        }
      },
      onEnd: end => (this.end = end),
      onError: error => (this.error = error),
      ...options,
    });
  }

  get texts(): string[] {
    return this.lines.map(line => line.text);
  }

  async until(count: number): Promise<void> {
    if (this.lines.length < count) {
      await new Promise<void>(resolve => (this.#waiting = { count, resolve }));
    }
  }
}
