import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { runHalting } from '../../server/src/core/halting.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import type { SandboxFixture } from './sandboxFixture.ts';

/** What the watch over an agent needs: whether its processes work, are held, and end when they are told to. */
export function sandboxVitalsCases(fixture: SandboxFixture): void {
  it('tells the processor time of a program with its descendants, also of those that have ended', async () => {
    const sandbox = await fixture.create();
    if (!sandbox.vitals || process.platform !== 'linux') {
      return;
    }
    const cwd = sandbox.paths.workspace;
    assert.equal(await sandbox.vitals('agent'), undefined);
    const work = 'n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done';
    await sandbox.start('agent', ['sh', '-c', `sh -c '${work}'; echo > done; sleep 300`], { cwd, env: {} });
    await eventually(async () => assert.equal((await sandbox.readFrom(`${cwd}/done`, 0, 9)).missing, false));
    const first = await sandbox.vitals('agent');
    assert.ok(first && first.cpuMs >= 20, `${first?.cpuMs} ms of work`);
    assert.equal(first.held, false);
    const second = await sandbox.vitals('agent');
    assert.ok(second && second.cpuMs - first.cpuMs <= 20, 'nothing works any more');
    await sandbox.kill('agent');
    assert.equal(await sandbox.vitals('agent'), undefined);
  });

  it('tells that a program is held by a signal', async () => {
    const sandbox = await fixture.create();
    if (!sandbox.vitals || !fixture.expectations.localProcesses || process.platform !== 'linux') {
      return;
    }
    const token = String(20_000_000 + Math.floor(Math.random() * 1_000_000));
    await sandbox.start('agent', ['sleep', token], { cwd: sandbox.paths.workspace, env: {} });
    const [pid] = await eventually(() => {
      const found = sleepers(token);
      assert.equal(found.length, 1);
      return found;
    });
    process.kill(pid ?? 0, 'SIGSTOP');
    await eventually(async () => assert.equal((await sandbox.vitals?.('agent'))?.held, true));
    process.kill(pid ?? 0, 'SIGCONT');
    await eventually(async () => assert.equal((await sandbox.vitals?.('agent'))?.held, false));
  });

  it('ends what runs when a person stops it', async () => {
    const sandbox = await fixture.create();
    const halt = new AbortController();
    const token = String(20_000_000 + Math.floor(Math.random() * 1_000_000));
    const running = runHalting(halt.signal, () =>
      sandbox.exec(['sh', '-c', `sleep ${token} & sleep ${token}`], { timeoutMs: 60_000 }),
    );
    if (fixture.expectations.localProcesses && process.platform === 'linux') {
      await eventually(() => assert.notDeepEqual(sleepers(token), []));
    }
    halt.abort(new SandpiperError('stopped', 'You stopped it.'));
    await rejects(running, 'stopped');
    if (fixture.expectations.localProcesses && process.platform === 'linux') {
      await eventually(() => assert.deepEqual(sleepers(token), []));
    }
    assert.equal((await sandbox.exec(['true'], { timeoutMs: 9000 })).code, 0);
  });

  it('leaves nothing running when it is stopped at any moment of its start', async () => {
    if (!fixture.expectations.localProcesses || process.platform !== 'linux') {
      return;
    }
    const sandbox = await fixture.create();
    const token = String(20_000_000 + Math.floor(Math.random() * 1_000_000));
    for (let delayMs = 0; delayMs < 40; delayMs++) {
      const halt = new AbortController();
      const running = runHalting(halt.signal, () => sandbox.exec(['sleep', token], { timeoutMs: 60_000 }));
      setTimeout(() => halt.abort(new SandpiperError('stopped', 'You stopped it.')), delayMs);
      await rejects(running, 'stopped');
    }
    // What was still to start it would do so by now.
    await new Promise(resolve => setTimeout(resolve, 500));
    assert.deepEqual(sleepers(token), []);
  });
}

function sleepers(token: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === `sleep\0${token}\0`;
      } catch {
        return false;
      }
    });
}
