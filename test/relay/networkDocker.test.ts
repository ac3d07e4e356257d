import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'mocha';
import type { ToolItem } from '../../protocol/session.ts';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

/** The same way out as from bubblewrap, from real containers that have no network. */
describe('the network of a session in a container', function () {
  this.timeout(180_000);
  let engine: TestEngine | undefined;
  let shop: Workshop;
  let port = 0;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(404).end();
  });

  before(async function () {
    const reason = whyNoEngine();
    requireOrSkip(this, 'network of containers', reason === undefined, reason ?? '');
    engine = await startTestEngine();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    shop = await openWorkshop({
      DOCKER_HOST: `unix://${engine.socket}`,
      SANDPIPER_DOCKER_IMAGE: engine.image,
      SANDPIPER_NETWORK_PRIVATE: `localhost.sandpiper.test:1,127.0.0.1:${port}`,
    });
  });
  after(async () => {
    await shop?.dispose();
    await engine?.stop();
    server.close();
  });

  it('is none but for allowed hosts', async () => {
    const command = `NO_PROXY= no_proxy= git ls-remote http://127.0.0.1:${port}/a.git; ls -A /sys/class/net`;
    const steps = [{ tool: 'Bash', input: { command } }, { text: 'Done.' }];
    const refused = await shop.begin(steps, { provider: 'docker' });
    const done = async (id: string) =>
      shop.until(id, 'one turn', ({ phase, turns }) => phase.kind === 'idle' && turns.length === 1, 90_000);
    const first = await done(refused);
    const output = first.items.find((item): item is ToolItem => item.kind === 'tool')?.output?.text ?? '';
    assert.match(output, /403[^]*\blo\b/);
    assert.doesNotMatch(output, /eth0/);
    assert.deepEqual(asked, []);
    assert.deepEqual(
      first.network?.seen.map(({ host, blocked }) => [host, blocked]),
      [['127.0.0.1', 'notAllowed']],
    );
    const state = await done(await shop.begin(steps, { provider: 'docker', network: [`127.0.0.1:${port}`] }));
    assert.deepEqual(
      state.network?.seen.map(({ host, blocked }) => [host, blocked]),
      [['127.0.0.1', undefined]],
    );
    assert.match(asked[0] ?? '', /^\/a\.git\/info\/refs/);
  });

  it('has no secret of the relay in it, and the search would have found one', async () => {
    const steps = [{ text: 'Hello.' }];
    const id = await shop.begin(steps, { provider: 'docker' });
    await shop.until(id, 'one turn', ({ phase, turns }) => phase.kind === 'idle' && turns.length === 1, 90_000);
    const proof = await shop.client.call('session.findSecrets', { sessionId: id }, { timeoutMs: 120_000 });
    assert.deepEqual([proof.found, proof.controlFound], [[], true]);
    assert.deepEqual(
      proof.secrets.map(({ name }) => name),
      ['model key', 'token of the relay'],
    );
    assert.ok(proof.processes > 2 && proof.files > 5, JSON.stringify(proof));
  });
});
