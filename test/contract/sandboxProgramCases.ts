import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash, randomInt } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import type { SandboxFixture } from './sandboxFixture.ts';

const TIMEOUT_MS = 9000;

/** Running programs: exec to their end, start to outlive the relay, kill with all descendants. */
export function sandboxProgramCases(fixture: SandboxFixture): void {
  execCases(fixture);
  environmentCases(fixture);
  startCases(fixture);
}

function execCases(fixture: SandboxFixture): void {
  it('gives the exit code, stdout and stderr apart, byte for byte', async () => {
    const sandbox = await fixture.create();
    const result = await sandbox.exec(['sh', '-c', String.raw`printf 'a\000\377b'; printf err >&2; exit 7`], {
      timeoutMs: TIMEOUT_MS,
    });
    assert.equal(result.code, 7);
    assert.deepEqual(result.stdout, Buffer.from([97, 0, 255, 98]));
    assert.equal(result.stderr.toString(), 'err');
  });

  it('gives 127 for a program that does not exist and 128 + n after a signal', async () => {
    const sandbox = await fixture.create();
    assert.equal((await sandbox.exec(['no-such-program'], { timeoutMs: TIMEOUT_MS })).code, 127);
    assert.equal((await sandbox.exec(['sh', '-c', 'kill -9 $$'], { timeoutMs: TIMEOUT_MS })).code, 137);
  });

  it('passes stdin whole, and does not mind a program that reads none', async () => {
    const sandbox = await fixture.create();
    const stdin = Buffer.alloc(3_000_000, 'sandpiper');
    const { stdout } = await sandbox.exec(['sha256sum'], { stdin, timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.toString().slice(0, 64), createHash('sha256').update(stdin).digest('hex'));
    assert.equal((await sandbox.exec(['true'], { stdin, timeoutMs: TIMEOUT_MS })).code, 0);
    assert.equal((await sandbox.exec(['cat'], { timeoutMs: TIMEOUT_MS })).stdout.length, 0);
  });

  it('gives no argument to a shell', async () => {
    const sandbox = await fixture.create();
    const args = ['$(echo x)', '; echo y', '-n', '', '*', '"', String.raw`\n`, 'a\nb'];
    const { stdout } = await sandbox.exec(['printf', '%s|', ...args], { timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.toString(), args.map(arg => `${arg}|`).join(''));
    await rejects(sandbox.exec([], { timeoutMs: TIMEOUT_MS }), 'invalid_params');
    await rejects(sandbox.exec(['echo', 'a\0b'], { timeoutMs: TIMEOUT_MS }), 'invalid_params');
  });

  it('takes large output up to the limit and stops a program that goes on', async () => {
    const sandbox = await fixture.create();
    const { stdout } = await sandbox.exec(['head', '-c', '5000000', '/dev/zero'], { timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.length, 5_000_000);
    await rejects(sandbox.exec(['cat', '/dev/zero'], { timeoutMs: TIMEOUT_MS }), 'too_large');
    await rejects(sandbox.exec(['seq', '1000'], { timeoutMs: TIMEOUT_MS, maxOutputBytes: 100 }), 'too_large');
  });

  it('stops a program at its timeout with everything that it started', async () => {
    const sandbox = await fixture.create();
    const token = sleepToken();
    const script = `setsid sleep ${token} & setsid sh -c 'setsid sleep ${token}' & sleep ${token}`;
    const began = Date.now();
    await rejects(sandbox.exec(['sh', '-c', script], { timeoutMs: 400 }), 'timeout');
    assert.ok(Date.now() - began < 5000);
    noneLeft(fixture, token);
  });

  it('ends with the program, not with what that left behind', async () => {
    const sandbox = await fixture.create();
    const token = sleepToken();
    const { stdout } = await sandbox.exec(['sh', '-c', `setsid sleep ${token} & echo done`], { timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.toString(), 'done\n');
    await eventually(() => noneLeft(fixture, token));
  });
}

function environmentCases(fixture: SandboxFixture): void {
  it('inherits nothing from the relay', async () => {
    const sandbox = await fixture.create();
    process.env['SANDPIPER_TEST_SECRET'] = 'hunter-two';
    try {
      const { stdout } = await sandbox.exec(['env'], { env: { OWN: "it's\n$HOME" }, timeoutMs: TIMEOUT_MS });
      assert.ok(!stdout.includes('hunter-two'));
      assert.ok(stdout.includes("OWN=it's\n$HOME\n"));
      if (fixture.expectations.isolation !== 'none') {
        // Also not by way of what made the sandbox: its init has an environment, too.
        const seen = await sandbox.exec(['sh', '-c', 'cat /proc/1/environ /proc/*/environ'], { timeoutMs: TIMEOUT_MS });
        assert.ok(seen.stdout.length > 0 && !seen.stdout.includes('hunter-two'));
      }
      const { stdout: names } = await sandbox.exec(['sh', '-c', 'env | cut -d= -f1 | sort'], { timeoutMs: TIMEOUT_MS });
      const known = new Set(['HOME', 'PATH', 'PWD', 'SANDPIPER_SANDBOX', '_', 'SHLVL', 'OLDPWD']);
      assert.deepEqual(
        names
          .toString()
          .trim()
          .split('\n')
          .filter(name => !known.has(name)),
        [],
      );
    } finally {
      delete process.env['SANDPIPER_TEST_SECRET'];
    }
  });

  it('runs in the workspace with a HOME of its own', async () => {
    const sandbox = await fixture.create();
    const { stdout } = await sandbox.exec(
      ['sh', '-c', 'pwd && echo "$HOME" && echo x > "$HOME/written" && cat ~/written'],
      {
        timeoutMs: TIMEOUT_MS,
      },
    );
    assert.equal(stdout.toString(), `${sandbox.paths.workspace}\n${sandbox.paths.home}\nx\n`);
    const moved = await sandbox.exec(['pwd'], { cwd: sandbox.paths.home, timeoutMs: TIMEOUT_MS });
    assert.equal(moved.stdout.toString(), `${sandbox.paths.home}\n`);
  });

  it('refuses what is no environment', async () => {
    const sandbox = await fixture.create();
    for (const env of [{ 'A=B': 'c' }, { '': 'c' }, { A: 'b\0c' }]) {
      await rejects(sandbox.exec(['true'], { env, timeoutMs: TIMEOUT_MS }), 'invalid_params');
    }
  });
}

function startCases(fixture: SandboxFixture): void {
  it('starts a program once, knows that it lives, and kills it with its descendants', async () => {
    const sandbox = await fixture.create();
    const token = sleepToken();
    const options = { cwd: sandbox.paths.workspace, env: { OWN: 'yes' } };
    const script = `setsid sleep ${token} & (setsid sh -c 'setsid sleep ${token} & sleep ${token}' &) ; echo $OWN > up; sleep ${token}`;
    assert.equal(await sandbox.alive('agent'), false);
    await sandbox.start('agent', ['sh', '-c', script], options);
    assert.equal(await sandbox.alive('agent'), true);
    await eventually(async () => {
      assert.equal((await sandbox.readFrom(`${sandbox.paths.workspace}/up`, 0, 9)).data.toString(), 'yes\n');
    });
    await rejects(sandbox.start('agent', ['true'], options), 'conflict');
    await sandbox.kill('agent');
    assert.equal(await sandbox.alive('agent'), false);
    noneLeft(fixture, token);
    await sandbox.kill('agent');
    await sandbox.start('agent', ['sleep', token], options);
    assert.equal(await sandbox.alive('agent'), true);
  });

  it('knows that a program ended', async () => {
    const sandbox = await fixture.create();
    await sandbox.start('agent', ['sh', '-c', 'echo noise; echo noise >&2; sleep 0.1'], {
      cwd: sandbox.paths.workspace,
      env: {},
    });
    await eventually(async () => assert.equal(await sandbox.alive('agent'), false));
    await sandbox.start('agent', ['true'], { cwd: sandbox.paths.workspace, env: {} });
  });

  it('kills one program and not its neighbour', async () => {
    const sandbox = await fixture.create();
    const options = { cwd: sandbox.paths.workspace, env: {} };
    await sandbox.start('one', ['sleep', '1000'], options);
    await sandbox.start('two', ['sleep', '1000'], options);
    await sandbox.kill('one');
    assert.deepEqual([await sandbox.alive('one'), await sandbox.alive('two')], [false, true]);
    for (const name of ['', '..', 'a/b', '.hidden', 'x'.repeat(65)]) {
      await rejects(sandbox.start(name, ['true'], options), 'invalid_params');
    }
  });

  it('keeps a program through the violent death of the relay that started it', async () => {
    const token = sleepToken();
    const key = fixture.spec().key;
    const script = `setsid sleep ${token} & while :; do echo tick >> ticks; sleep 0.05; done`;
    const { file, args } = fixture.expectations.otherRelay(fixture.storage, key, ['sh', '-c', script]);
    const relay = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [said] = await once(relay.stdout, 'data');
      assert.equal(String(said), 'started\n');
    } finally {
      relay.kill('SIGKILL');
    }
    await once(relay, 'exit');
    const sandbox = await fixture.provider.create(fixture.spec({ key }));
    const bytes = async (): Promise<number> =>
      (await sandbox.readFrom(`${sandbox.paths.workspace}/ticks`, 0, 1 << 20)).data.length;
    const before = await bytes();
    await eventually(async () => assert.ok((await bytes()) > before + 10));
    assert.equal(await sandbox.alive('agent'), true);
    await sandbox.kill('agent');
    assert.equal(await sandbox.alive('agent'), false);
    noneLeft(fixture, token);
  });

  it('destroys with everything that runs in it', async () => {
    const sandbox = await fixture.create();
    const token = sleepToken();
    await sandbox.start('agent', ['sh', '-c', `setsid sleep ${token} & sleep ${token}`], {
      cwd: sandbox.paths.workspace,
      env: {},
    });
    const running = sandbox.exec(['sleep', token], { timeoutMs: 20_000 }).then(
      result => result.code,
      () => 'failed',
    );
    if (fixture.expectations.localProcesses) {
      await eventually(() => assert.ok(commandLinesWith(token).length >= 3));
    }
    await fixture.provider.destroy(sandbox.ref);
    noneLeft(fixture, token);
    assert.notEqual(await running, 0);
    assert.equal(await sandbox.alive('agent'), false);
  });
}

/** Seconds for `sleep` that no other process of this machine was given. */
function sleepToken(): string {
  return `9${randomInt(1_000_000, 9_999_999)}`;
}

function noneLeft(fixture: SandboxFixture, token: string): void {
  if (fixture.expectations.localProcesses) {
    assert.deepEqual(commandLinesWith(token), []);
  }
}

function commandLinesWith(token: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter(line => line.includes(`sleep ${token}`));
}
