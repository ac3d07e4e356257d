import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'mocha';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => {
  assert.notEqual(state.phase.kind, 'blocked', JSON.stringify(state.phase));
  return state.phase.kind === 'idle' && state.turns.length === turns;
};
const outputs = (state: SessionState): string[] =>
  state.items.filter((item): item is ToolItem => item.kind === 'tool').map(tool => tool.output?.text ?? '');

/** Real programs in real sandboxes, with a registry on this machine that the relay's operator named. */
describe('the network of a session', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let cli: Cli;
  let port = 0;
  const asked: string[] = [];
  const registry = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('a package');
  });

  before(async function () {
    requireOrSkip(this, 'network of sessions', process.platform === 'linux', 'bubblewrap is for Linux');
    registry.listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const address = registry.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    shop = await openWorkshop({ SANDPIPER_NETWORK_PRIVATE: `localtest.example:${port},127.0.0.1:${port}` });
    cli = new Cli(shop.dataFolder);
  });
  after(async () => {
    await shop?.dispose();
    registry.close();
  });

  const curl = (rest: string): string => `curl -sS -m 20 --noproxy none.invalid ${rest}; true`;

  it('is none, until a host is allowed; then the same command works, in the same turn', async () => {
    const url = `http://127.0.0.1:${port}/left-pad`;
    const command = `for i in $(seq 60); do said=$(${curl(url)}); case $said in *package*) break;; esac; sleep 1; done; echo "$said"; echo one`;
    const id = await shop.begin([{ tool: 'Bash', input: { command, timeout: 90_000 } }, { text: 'Done.' }]);
    const tried = await shop.until(id, 'a refusal', state => (state.network?.seen.length ?? 0) > 0, 60_000);
    assert.deepEqual(
      tried.network?.seen.map(({ host, port: at, blocked }) => [host, at, blocked]),
      [['127.0.0.1', port, 'notAllowed']],
    );
    assert.deepEqual(asked, []);
    const allowed = await cli.run(['network', id, '--allow', `127.0.0.1:${port}`]);
    assert.equal(allowed.code, 0, allowed.stderr);
    const state = await shop.until(id, 'one turn', idle(1), 60_000);
    assert.match(outputs(state)[0] ?? '', /a package\none/);
    assert.deepEqual(asked, ['GET /left-pad']);
    const shown = await cli.run(['network', id]);
    assert.match(shown.stdout, new RegExp(`allowed {2}127.0.0.1:${port} {2}by the session`));
    assert.match(shown.stdout, new RegExp(`refused {2}127.0.0.1:${port}.*notAllowed`));
    assert.match(shown.stdout, new RegExp(`reached {2}127.0.0.1:${port}`));
  });

  it('leads to no address of this machine and to no metadata service, by no way', async () => {
    const tries = [
      curl('http://169.254.169.254/latest/meta-data/'),
      curl(`--noproxy '*' http://127.0.0.1:${port}/direct`),
      curl(`--noproxy '*' http://1.1.1.1/`),
      curl('http://localtest.example/'),
      curl('-x http://127.0.0.1:8118 https://metadata.google.internal/'),
    ];
    const id = await shop.begin(
      [...tries.map(command => ({ tool: 'Bash', input: { command: `${command}; echo end` } })), { text: 'Done.' }],
      { network: ['169.254.169.254:80', 'metadata.google.internal'] },
    );
    const before = asked.length;
    const state = await shop.until(id, 'one turn', idle(1), 90_000);
    const said = outputs(state);
    assert.equal(asked.length, before, 'nothing came to the registry');
    assert.match(said[0] ?? '', /private network/);
    assert.match(said[1] ?? '', /[Cc]onnect|refused/);
    assert.match(said[2] ?? '', /unreachable|[Cc]onnect/);
    const seen = state.network?.seen.map(({ host, blocked }) => `${host} ${blocked ?? 'reached'}`) ?? [];
    assert.ok(seen.includes('169.254.169.254 privateAddress'), seen.join());
    assert.ok(!seen.some(line => line.endsWith('reached')), seen.join());
  });

  it('is given by a repository to its later sessions, also after a restart, and taken back', async () => {
    const first = await shop.begin([{ text: 'Hello.' }]);
    await shop.until(first, 'one turn', idle(1), 60_000);
    const given = await cli.run(['network', first, '--allow', `127.0.0.1:${port}`, '--always']);
    assert.match(given.stdout, /by the repository/);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const command = curl(`http://127.0.0.1:${port}/later`);
    const second = await shop.begin([{ tool: 'Bash', input: { command } }, { text: 'Done.' }]);
    const state = await shop.until(second, 'one turn', idle(1), 60_000);
    assert.match(outputs(state)[0] ?? '', /a package/);
    assert.equal((await cli.run(['network', first, '--forbid', `127.0.0.1:${port}`])).code, 0);
    await shop.send(second, [{ tool: 'Bash', input: { command } }, { text: 'Done.' }]);
    const last = await shop.until(second, 'two turns', idle(2), 60_000);
    assert.match(outputs(last).at(-1) ?? '', /may not reach/);
  });

  it('says what is no host', async () => {
    const wrong = await cli.run(['run', 'x', '--repo', shop.repository, '--network', '*.com']);
    assert.match(wrong.stderr, /no host that network access can be given to/);
  });
});
