import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { pathWithoutBubblewrap } from '../support/pathWithoutBubblewrap.ts';
import { CLAUDE, temporaryFolder } from '../support/relayProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (state: SessionState) => state.phase.kind === 'idle' && !state.recovering && !state.interrupted;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));

/** The real agent, whose first process never says that its turn is over. */
const MUTED = `#!/bin/sh
case "$*" in
  *--session-id=*) ${CLAUDE} "$@" | grep --line-buffered -v -e '"type":"result"' -e '"state":"idle"' ;;
  *) exec ${CLAUDE} "$@" ;;
esac
`;

describe('an agent that does not say that its turn is over', function () {
  this.timeout(90_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let shop: Workshop;
  before(async () => {
    scratch = await temporaryFolder();
    const muted = join(scratch.path, 'muted');
    await writeFile(muted, MUTED);
    await chmod(muted, 0o755);
    // Without isolation, where a stand-in for the program can start the real one.
    shop = await openWorkshop({
      PATH: await pathWithoutBubblewrap(scratch.path),
      SANDPIPER_CLAUDE: muted,
      SANDPIPER_STUCK_SECONDS: '3',
    });
  });
  after(async () => {
    await shop.dispose();
    await scratch.remove();
  });

  it('is interrupted, then ended and resumed, and the session goes on', async () => {
    const id = await shop.begin([{ text: 'This is all.' }], { permissionMode: 'ask', acceptNoIsolation: true });
    const state = await shop.until(id, 'it is idle', seen => seen.turns.length > 0 && idle(seen), 60_000);
    assert.deepEqual(said(state), ['This is all.']);
    const types = (await shop.events(id)).map(({ body }) => body.type);
    const steps = ['stuckNoticed', 'noticeRaised', 'recoveryStarted', 'agentEnded', 'recoveryEnded'] as const;
    const places = steps.map(step => types.lastIndexOf(step));
    assert.ok(
      places.every((place, index) => place >= 0 && (index === 0 || index === 1 || place > (places[index - 1] ?? 0))),
      `${types.join(' ')}`,
    );
    assert.match(state.turns[0]?.agent?.failure?.message ?? '', /silent for \d+ s: no output, no call to the model/);
    await shop.send(id, [{ text: 'And this is more.' }]);
    const next = await shop.until(id, 'the next turn', seen => said(seen).length === 2 && idle(seen), 40_000);
    assert.deepEqual(said(next), ['This is all.', 'And this is more.']);
    assert.equal(next.turns.at(-1)?.agent?.outcome, 'completed');
  });
});
