import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'mocha';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { Moves } from '../support/moves.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';

describe('a session that is moved into a container', function () {
  this.timeout(180_000);
  let engine: TestEngine | undefined;
  let moves: Moves;

  before(async function () {
    const why = whyNoEngine() ?? (await whyNoBoxes());
    requireOrSkip(this, 'moving sessions into containers', why === undefined, why ?? '');
    engine = await startTestEngine();
    moves = await Moves.open({ DOCKER_HOST: `unix://${engine.socket}`, SANDPIPER_DOCKER_IMAGE: engine.image });
  });
  after(async () => {
    await moves?.dispose();
    await engine?.stop();
  });

  it('goes there and back, and its agent outlives a second removal of what it left', async () => {
    const { shop } = moves;
    const id = await moves.worked();
    const local = (await shop.workspace(id)).split('/').at(-2);
    await moves.begin(id, 'docker');
    assert.equal((await moves.at(id, 'docker')).isolation, 'container');
    await moves.only(0, 0, 0);
    const { agent } = await moves.next(id, 2);
    await shop.relay.stop('SIGKILL');
    // As a relay leaves it that was killed before it had written down that the old sandbox is gone.
    const database = new DatabaseSync(join(shop.dataFolder, 'relay.db'));
    const left = JSON.stringify([{ provider: 'local', id: local }]);
    database.prepare(`update sessions set runtime = json_set(runtime, '$.left', json(?))`).run(left);
    database.close();
    await shop.relay.start();
    const still = await moves.next(id, 3);
    assert.deepEqual([still.agent.running, still.agent.segment], [true, agent.segment]);
    await moves.begin(id, 'local');
    await moves.at(id, 'local', 3);
    await moves.next(id, 4);
    await moves.remove(id);
  });
});
