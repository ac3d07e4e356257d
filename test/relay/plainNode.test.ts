import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, realpath } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { after, before, describe, it } from 'mocha';
import { targets } from '../../esbuild.mjs';
import { findSqliteBinary } from '../../scripts/setup/sqlite.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { Cli } from '../support/cliProcess.ts';
import { joinRelay } from '../support/joinRelay.ts';
import { scripted } from '../support/modelScript.ts';
import { ROOT, temporaryFolder } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { startScriptedModel, type ScriptedModel } from '../support/scriptedModel.ts';
import { REAL_KEY } from '../support/workshop.ts';

const run = promisify(execFile);

/** A Node of this machine that is not the one of this repository. */
async function otherNode(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
    if (folder !== '' && existsSync(path) && !(await realpath(path)).includes('node_modules')) {
      return path;
    }
  }
  return undefined;
}

describe('the `sandpiper` of the build, with the Node of the machine', function () {
  this.timeout(60_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let model: ScriptedModel;
  let node = '';
  let bundle = '';
  let cli: Cli;

  before(async function () {
    const found = await otherNode();
    requireOrSkip(this, 'the build with another Node', found !== undefined, 'no Node but that of this repository');
    node = found ?? '';
    scratch = await temporaryFolder();
    bundle = await makeBundle('dist');
    const binary = findSqliteBinary();
    if (binary !== undefined) {
      await copyFile(binary, join(scratch.path, 'dist/node_sqlite3.node'));
    }
    model = await startScriptedModel({ apiKey: REAL_KEY });
    cli = new Cli(join(scratch.path, 'data'), { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: REAL_KEY });
  });
  after(async () => {
    if (cli && (await cli.relayPid()) !== undefined) {
      const client = joinRelay(cli.dataFolder);
      for (const { id } of (await client.call('session.list', {})).sessions) {
        await client.call('session.archive', { sessionId: id, archived: true });
      }
      client.dispose();
    }
    await cli?.dispose();
    await model?.close();
    await scratch?.remove();
  });

  async function makeBundle(name: string): Promise<string> {
    const folder = join(scratch.path, name);
    await build({ ...targets.server, absWorkingDir: ROOT, outdir: folder, sourcemap: false });
    await copyFile(join(ROOT, 'server/src/journal/agent-run.sh'), join(folder, 'agent-run.sh'));
    return join(folder, 'sandpiper.mjs');
  }

  it('runs a session to its end', async () => {
    const repository = join(scratch.path, 'sample');
    await makeSample(repository);
    const prompt = scripted('go', [{ tool: 'Bash', input: { command: 'echo new > added.txt' } }, { text: 'Done.' }]);
    const args = ['run', prompt, '--repo', repository, '--permissions', 'autopilot'];
    const { code, stdout, stderr } = await cli.run(args, { wrap: ([, , ...rest]) => [node, bundle, ...rest] });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /turn completed 1 file/);
  });

  it('says what it needs where no SQLite can be loaded', async function () {
    const { stdout } = await run(node, ['--version']);
    requireOrSkip(this, 'a Node without SQLite', /^v2[01]\./.test(stdout), `${stdout.trim()} brings SQLite`);
    const bare = await makeBundle('bare');
    const refused = await cli.run(['serve', '--data', join(scratch.path, 'other')], {
      wrap: ([, , ...rest]) => [node, bare, ...rest],
    });
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /Neither the sqlite3 package nor node:sqlite.*Node\.js 22/);
  });
});
