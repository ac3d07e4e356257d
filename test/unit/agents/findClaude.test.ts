import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { findClaude } from '../../../server/src/agents/claude/findClaude.ts';

describe('findClaude', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sp-find-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function program(place: string, says: string): string {
    const path = join(folder, place, 'claude');
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${says}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  const places = (path: string) => ({ path, home: join(folder, 'home') });
  const fails = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof SandpiperError && error.code === code && message.test(error.message) && error.hint !== undefined;

  it('takes the first program on PATH, through links', async () => {
    const real = program('real', 'echo "2.1.328 (Claude Code)"');
    mkdirSync(join(folder, 'bin'));
    symlinkSync(real, join(folder, 'bin', 'claude'));
    const path = [join(folder, 'nowhere'), join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter);
    assert.deepEqual(await findClaude(undefined, places(path)), { path: real, version: '2.1.328' });
  });

  it('looks where installers put it when PATH does not have it', async () => {
    const path = program(join('home', '.claude', 'local'), 'echo "2.1.300 (Claude Code)"');
    assert.deepEqual(await findClaude(undefined, places('')), { path, version: '2.1.300' });
  });

  it('tries only the configured path', async () => {
    program('bin', 'echo 2.1.328');
    await assert.rejects(
      findClaude(join(folder, 'wrong'), places(join(folder, 'bin'))),
      fails('agent_missing', /no Claude Code program at/),
    );
  });

  it('does not look in a relative or empty entry of PATH', async () => {
    program('repo', 'echo 2.1.328');
    const before = process.cwd();
    process.chdir(join(folder, 'repo'));
    try {
      // A machine may have the program in a usual place; it must only not be this one.
      const found = await findClaude(undefined, places(`${delimiter}.`)).catch(() => undefined);
      assert.notEqual(found?.path, join(folder, 'repo', 'claude'));
    } finally {
      process.chdir(before);
    }
  });

  it('refuses an old version and says how to upgrade', async () => {
    for (const version of ['2.1.196', '2.0.400', '1.99.999']) {
      const path = program('bin', `echo "${version} (Claude Code)"`);
      await assert.rejects(findClaude(path, places('')), fails('agent_too_old', new RegExp(`${version}.*2\\.1\\.197`)));
    }
    const path = program('bin', 'echo "2.1.197 (Claude Code)"');
    assert.equal((await findClaude(path, places(''))).version, '2.1.197');
  });

  it('refuses a program that fails or says something else', async () => {
    await assert.rejects(findClaude(program('a', 'exit 3'), places('')), fails('agent_missing', /could not be run/));
    await assert.rejects(
      findClaude(program('b', 'echo hi'), places('')),
      fails('agent_missing', /does not say a version/),
    );
  });

  it('passes nothing of its environment on', async () => {
    const path = program('bin', `env > ${join(folder, 'seen')}; echo 2.1.328`);
    process.env['SP_SECRET'] = 'secret';
    try {
      await findClaude(path, places('/usr/bin:/bin'));
      assert.ok(!readFileSync(join(folder, 'seen'), 'utf8').includes('secret'));
    } finally {
      delete process.env['SP_SECRET'];
    }
  });
});
