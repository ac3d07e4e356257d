import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClaudeAgent } from '../../server/src/agents/claude/claudeAgent.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { inspectRepository } from '../../server/src/git/inspect.ts';
import type { Mirror } from '../../server/src/git/mirror.ts';
import { Mirrors } from '../../server/src/git/mirrors.ts';
import { checkpointScript, cloneCommand, parseCheckpoint } from '../../server/src/git/sandboxScripts.ts';
import type { Sandbox } from '../../server/src/sandboxes/provider.ts';
import { agentIn } from '../../server/src/sessions/sandboxAgent.ts';
import { bringCommits, mirrorIn, scratchOf } from '../../server/src/sessions/sandboxMirror.ts';
import { rejects } from '../support/rejects.ts';
import { plainRemoteProvider } from '../support/sandboxes/plainRemoteProvider.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../support/tempRepository.ts';

const TIMEOUT = { timeoutMs: 30_000 };

/** A sandbox that nothing of the relay can be mounted into: commits and programs are brought. */
describe('work in a sandbox elsewhere', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  before(function () {
    requireOrSkip(this, 'remote sandbox', process.platform === 'linux', 'its scripts read /proc');
  });

  const sandboxOf = async () =>
    plainRemoteProvider(join(folder(), 'sandboxes')).create({ key: 'ses_1', acceptNoIsolation: true, mounts: [] });

  async function mirrorOf(source: string): Promise<{ mirror: Mirror; commit: string }> {
    const inspected = await inspectRepository(source, { home: '/nonexistent' });
    return new Mirrors(join(folder(), 'mirrors'), silentLogger).ensure(inspected, undefined);
  }

  async function clone(sandbox: Sandbox, mirror: Mirror, commit: string): Promise<void> {
    const { workspace } = sandbox.paths;
    const author = { name: 'Agent', email: 'agent@localhost' };
    const mirrorPath = mirrorIn(sandbox, mirror);
    const command = cloneCommand({ mirrorPath, commit, workspace, branch: 'main', author });
    const { code, stderr } = await sandbox.exec(command, TIMEOUT);
    assert.equal(code, 0, stderr.toString());
  }

  it('brings a repository of many pieces, makes a checkpoint, and then brings only the difference', async () => {
    const source = join(folder(), 'source');
    // More than two pieces, and nothing that compresses.
    makeRepository(source, { large: randomBytes(20_000_000), small: 'one\n' });
    const { mirror, commit } = await mirrorOf(source);
    const sandbox = await sandboxOf();
    await bringCommits(sandbox, mirror, [commit]);
    await bringCommits(sandbox, mirror, [commit]);
    await clone(sandbox, mirror, commit);
    const { workspace, journal } = sandbox.paths;
    assert.deepEqual(readFileSync(join(workspace, 'large')), readFileSync(join(source, 'large')));

    await sandbox.writeFile(`${workspace}/small`, Buffer.from('two\n'));
    await sandbox.writeFile(`${journal}/checkpoint.sh`, Buffer.from(checkpointScript()));
    await sandbox.writeFile(`${journal}/message`, Buffer.from('Turn 1\n'));
    const paths = [workspace, scratchOf(sandbox), commit, 'refs/sandpiper/ses_1/turn/1', `${journal}/message`];
    const argv = ['sh', `${journal}/checkpoint.sh`, ...paths, `${journal}/out.bundle`];
    const made = await sandbox.exec([...argv, `${mirrorIn(sandbox, mirror)}/objects`], TIMEOUT);
    assert.equal(made.code, 0, made.stderr.toString());
    const checkpoint = parseCheckpoint(made.stdout.toString());

    // The relay's mirror has it too, and a commit of its own on top.
    runGit(mirror.path, ['fetch', '-q', `${journal}/out.bundle`, 'refs/sandpiper/ses_1/turn/1:refs/sandpiper/x']);
    const tree = runGit(mirror.path, ['rev-parse', `${checkpoint.commit}^{tree}`]);
    const onTop = runGit(mirror.path, ['commit-tree', tree, '-p', checkpoint.commit, '-m', 'review']);
    const sent: number[] = [];
    const watched = writingWith(sandbox, async (path, data) => {
      sent.push(data.length);
      await sandbox.writeFile(path, data);
    });
    await bringCommits(watched, mirror, [onTop], [checkpoint.commit]);
    assert.ok(sent.length === 1 && (sent[0] ?? 0) < 2000, `${sent.join()} bytes were sent`);
    const git = ['git', `--git-dir=${scratchOf(sandbox)}/git`, 'log', '-1', '--format=%s', onTop];
    assert.equal((await sandbox.exec(git, TIMEOUT)).stdout.toString(), 'review\n');
  });

  it('goes on after it was cut off between any two pieces', async () => {
    const source = join(folder(), 'source');
    makeRepository(source, { large: randomBytes(20_000_000) });
    const { mirror, commit } = await mirrorOf(source);
    const sandbox = await sandboxOf();
    let left = 1;
    const failing = writingWith(sandbox, async (path, data) => {
      if (left-- === 0) {
        throw new Error('cut');
      }
      await sandbox.writeFile(path, data);
    });
    await assert.rejects(bringCommits(failing, mirror, [commit]), /cut/);
    await bringCommits(sandbox, mirror, [commit]);
    await clone(sandbox, mirror, commit);
    assert.ok(existsSync(join(sandbox.paths.workspace, 'large')));
  });

  it('brings a shallow repository as it is', async () => {
    const origin = join(folder(), 'origin');
    makeRepository(origin);
    writeFiles(origin, { a: 'b\n' });
    commitAll(origin, 'second');
    const source = join(folder(), 'shallow');
    runGit(folder(), ['clone', '-q', '--depth=1', `file://${origin}`, source]);
    const { mirror, commit } = await mirrorOf(source);
    const sandbox = await sandboxOf();
    await bringCommits(sandbox, mirror, [commit]);
    await clone(sandbox, mirror, commit);
    const log = await sandbox.exec(['git', 'log', '--format=%s'], TIMEOUT);
    assert.equal(log.stdout.toString(), 'second\n');
  });

  it("takes the image's own agent, or sends the machine's, and says what is wrong with either", async () => {
    const sandbox = await sandboxOf();
    const agent = createClaudeAgent({ path: '' });
    const program = join(folder(), 'program');
    const found = { path: program, version: '2.1.300' };
    writeFileSync(program, `#!/bin/sh\necho '2.1.300 (Claude Code)'\n# ${'x'.repeat(9_000_000)}\n`);
    chmodSync(program, 0o755);
    const nameless = { ...agent, programName: 'no-such-agent' };
    const sent = await agentIn(sandbox, nameless, found);
    assert.equal(sent.version, '2.1.300');
    assert.ok(sent.path.startsWith(sandbox.paths.journal));
    assert.deepEqual(readFileSync(sent.path), readFileSync(program));
    writeFileSync(program, 'not read a second time');
    assert.deepEqual(await agentIn(sandbox, nameless, found), sent);
    writeFileSync(program, '#!/bin/sh\necho "wrong machine" >&2; exit 1\n');
    const error = await rejects(agentIn(sandbox, nameless, { ...found, version: '2.1.301' }), 'agent_missing');
    assert.match(error.message, /wrong machine/);
    // `true` is in every image, and is no agent.
    await rejects(agentIn(sandbox, { ...agent, programName: 'true' }, found), 'agent_missing');
  });
});

/** The same sandbox, with another way to write files. */
function writingWith(sandbox: Sandbox, writeFile: Sandbox['writeFile']): Sandbox {
  const { ref, isolation, paths, hostMounts, modelSocket } = sandbox;
  return {
    ref,
    isolation,
    paths,
    hostMounts,
    modelSocket,
    writeFile,
    exec: (argv, options) => sandbox.exec(argv, options),
    start: (name, argv, options) => sandbox.start(name, argv, options),
    alive: name => sandbox.alive(name),
    kill: name => sandbox.kill(name),
    readFrom: (path, offset, maxBytes) => sandbox.readFrom(path, offset, maxBytes),
    watch: (path, onChange) => sandbox.watch(path, onChange),
    wake: fifo => sandbox.wake(fifo),
  };
}
