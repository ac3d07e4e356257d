import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { commitAll, writeFiles } from '../support/tempRepository.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const idle = (state: SessionState): boolean => state.phase.kind === 'idle' && state.turns.length === 1;

/** `sandpiper doctor --session`, on live sandboxes: no secret in one, and a planted one in the other. */
describe('the search for secrets in a sandbox', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let cli: Cli;

  before(async function () {
    requireOrSkip(this, 'search in sandboxes', process.platform === 'linux', 'bubblewrap is for Linux');
    shop = await openWorkshop({ SANDPIPER_GITHUB_TOKEN: `ghp_${'Yx9'.repeat(12)}` });
    cli = new Cli(shop.dataFolder);
  });
  after(async () => {
    await shop?.dispose();
  });

  it('finds none in a sandbox as it is, while its agent lives', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'env; sleep 0' } }, { text: 'Done.' }]);
    await shop.until(id, 'one turn', idle, 60_000);
    const { code, stdout, stderr } = await cli.run(['doctor', '--session', id]);
    assert.equal(code, 0, stdout + stderr);
    for (const name of ['model key', 'forge token', 'token of the relay']) {
      assert.match(stdout, new RegExp(`ok +${name}: not there, in none of \\d+ spellings`));
    }
    assert.match(stdout, /ok +a value that was planted for this search was found/);
    const [, processes = '0', files = '0'] = /searched (\d+) processes, (\d+) files/.exec(stdout) ?? [];
    assert.ok(Number(processes) >= 3 && Number(files) >= 10, stdout);
    assert.ok(!stdout.includes(REAL_KEY));
  });

  it('finds them in files, in large ones at any place, in processes and in the configuration of git', async () => {
    const encoded = Buffer.from(`x${REAL_KEY}`).toString('base64').replace(/.{30}/g, '$&\n');
    writeFiles(shop.repository, { 'docs/leak.b64': encoded, 'key.txt': REAL_KEY });
    commitAll(shop.repository, 'a mistake');
    const command = [
      'KEY=$(cat key.txt); export KEY',
      '(setsid sleep 200 >/dev/null 2>&1 </dev/null &)',
      'git config user.signingkey "$KEY"',
      '{ head -c 2097140 /dev/zero; cat key.txt; head -c 1000000 /dev/zero; } > large.bin; rm key.txt',
    ].join('; ');
    const id = await shop.begin([{ tool: 'Bash', input: { command } }, { text: 'Done.' }]);
    await shop.until(id, 'one turn', idle, 60_000);
    const { code, stdout } = await cli.run(['doctor', '--session', id, '--json']);
    assert.equal(code, 1, stdout);
    const found: unknown = JSON.parse(stdout);
    const text = JSON.stringify(found);
    for (const where of [
      '/workspace/docs/leak.b64',
      '/workspace/large.bin',
      'git configuration',
      '/workspace/.git/config',
    ]) {
      assert.match(text, new RegExp(where.replaceAll('/', String.raw`\/`)), where);
    }
    assert.match(text, /"name":"model key","where":"process \d+/);
    assert.ok(!text.includes(REAL_KEY));
  });

  it('says when there is no sandbox', async () => {
    const wrong = await cli.run(['doctor', '--session', 'nosuch']);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /no session/i);
  });
});
