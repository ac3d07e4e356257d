import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { before, describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';
import { temporaryFolder, testMark } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';

const DEMO = join(import.meta.dirname, '../../scripts/demo.ts');
const path = process.env['PATH'] ?? '';

describe('the demos of the README', function () {
  this.timeout(120_000);

  before(async function () {
    const { capabilities, reason } = await createLocalProvider({ folder: '', log: silentLogger, path }).probe();
    requireOrSkip(this, 'the demos of the README', capabilities.isolation === 'process', reason ?? '');
  });

  async function run(...args: string[]): Promise<string[]> {
    const home = await temporaryFolder();
    try {
      const demo = spawn(process.execPath, [DEMO, ...args], {
        env: { PATH: path, HOME: home.path, ...testMark() },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [said, complained] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'close')]);
      assert.equal(demo.exitCode, 0, `${said.slice(-2000)}\n${complained}`);
      return stripVTControlCharacters(said).trimEnd().split('\n');
    } finally {
      await home.remove();
    }
  }

  it('fix a failing test and open a pull request', async () => {
    const lines = await run();
    assert.match(lines.at(-1) ?? '', /^demo: ok session=ses_\w+ events=\d+ files=1 pr=http\S+\/pull\/1$/);
    assert.ok(
      lines.some(line => /^\+.*s\/\^-\/\//.test(line)),
      'the diff is shown',
    );
  });

  it('go from an issue to its merge', async () => {
    const lines = await run('--issue');
    assert.match(lines.at(-1) ?? '', /^demo: ok session=ses_\w+ events=\d+ turns=3 pr=http\S+\/pull\/2$/);
    for (const said of [/fail; GitHub tells the relay/, /checks of \w+ pass/, /answer in his thread: Addressed/]) {
      assert.ok(
        lines.some(line => said.test(line)),
        `${String(said)}\n${lines.join('\n')}`,
      );
    }
  });
});
