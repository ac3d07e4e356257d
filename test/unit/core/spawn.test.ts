import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../../../server/src/core/spawn.ts';
import { useTempFolder } from '../../support/tempRepository.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
const run = (script: string, options: object = {}) =>
  runProgram(['sh', '-c', script], { env, timeoutMs: 10_000, ...options });

describe('runProgram', () => {
  const folder = useTempFolder();

  async function gone(pid: number): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      try {
        process.kill(pid, 0);
        // Killed, but not yet collected by the init process.
        if (process.platform === 'linux' && /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
          return;
        }
      } catch {
        return;
      }
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    assert.fail(`process ${pid} still lives`);
  }

  it('hands back code, signal and output, and inherits nothing', async () => {
    const result = await run('printf out; printf err >&2; env; exit 3');
    assert.equal(result.code, 3);
    assert.match(result.stdout.toString(), /^out/);
    assert.equal(result.stderr.toString(), 'err');
    assert.equal(/HOME=/.test(result.stdout.toString()), false);
    assert.deepEqual([(await run('kill -TERM $$')).code, (await run('kill -TERM $$')).signal], [undefined, 'SIGTERM']);
  });

  it('feeds stdin whole or as a stream, also to a program that does not read it', async () => {
    assert.equal((await run('wc -c', { stdin: Buffer.alloc(3_000_000) })).stdout.toString().trim(), '3000000');
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 100; at++) {
        yield await Promise.resolve(Buffer.alloc(50_000));
      }
    }
    assert.equal((await run('wc -c', { stdin: stream() })).stdout.toString().trim(), '5000000');
    assert.equal((await run('exit 4', { stdin: stream() })).code, 4);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('x'));
      throw new Error('source');
    }
    await assert.rejects(run('cat', { stdin: failing() }), { message: 'source' });
  });

  it('kills the whole group on timeout, abort and too much output', async () => {
    const pidFile = join(folder(), 'pid');
    const child = `sleep 100 & echo $! > "${pidFile}"; `;
    await assert.rejects(run(`${child} wait`, { timeoutMs: 300 }), { code: 'timeout' });
    await gone(Number(readFileSync(pidFile, 'utf8')));

    const controller = new AbortController();
    const aborted = run(`${child} echo ready; wait`, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stop')), 300);
    await assert.rejects(aborted, { message: 'stop' });
    await gone(Number(readFileSync(pidFile, 'utf8')));
    await assert.rejects(run('true', { signal: controller.signal }), { message: 'stop' });

    await assert.rejects(run(`${child} yes`, { maxOutputBytes: 1000 }), { code: 'too_large' });
    await gone(Number(readFileSync(pidFile, 'utf8')));
    const cut = await run('yes', { maxOutputBytes: 1001, onTooMuch: 'cut' });
    assert.deepEqual([cut.cut, cut.stdout.length], [true, 1001]);
  });

  it('does not wait for what a program leaves behind', async () => {
    const pidFile = join(folder(), 'pid');
    const started = Date.now();
    const result = await run(`sleep 100 & echo $! > "${pidFile}"; echo done`);
    assert.equal(result.stdout.toString(), 'done\n');
    assert.ok(Date.now() - started < 8000);
    await gone(Number(readFileSync(pidFile, 'utf8')));
  });

  it('says when a program cannot be started', async () => {
    const marker = join(folder(), 'marker');
    await assert.rejects(runProgram([`no-such-program; touch ${marker}`], { env, timeoutMs: 1000 }), {
      code: 'unavailable',
    });
    assert.equal(existsSync(marker), false);
    await assert.rejects(runProgram([], { env, timeoutMs: 1000 }), { code: 'invalid_params' });
  });
});
