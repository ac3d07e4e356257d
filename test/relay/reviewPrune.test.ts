import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { runGit } from '../support/tempRepository.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

describe('what an undo needs', function () {
  this.timeout(90_000);
  let shop: Workshop;
  afterEach(() => shop.dispose());

  const withLines = (changes: Record<number, string>): string[] => LINES.map((line, index) => changes[index] ?? line);
  const write = (lines: readonly string[]) => [
    { tool: 'Bash', input: { command: `printf '%s\\n' ${lines.join(' ')} > list.txt` } },
    { text: 'ok' },
  ];

  /** Everything that no ref leads to goes, as it does by itself after two weeks. */
  function pruneMirrors(): string {
    const folder = join(shop.dataFolder, 'mirrors');
    const [mirror = ''] = readdirSync(folder).filter(name => name.endsWith('.git'));
    runGit(join(folder, mirror), ['repack', '-A', '-d', '-q', '--unpack-unreachable=now']);
    runGit(join(folder, mirror), ['prune', '--expire=now']);
    return join(folder, mirror);
  }

  it('is still there after later turns and decisions, also when the mirror was pruned', async () => {
    shop = await openWorkshop();
    const id = await shop.begin(write(LINES));
    const { proposed: first } = await shop.until(id, 'the first turn', idle(1));
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: first });
    await shop.send(id, write(withLines({ 0: 'ONE', 4: 'FIVE', 8: 'NINE' })));
    await shop.until(id, 'the second turn', idle(2));
    const decide = async (verdict: 'accept' | 'reject'): Promise<number> => {
      const { accepted, proposed, files } = await shop.client.call('review.list', { sessionId: id });
      const hunks = [files[0]?.hunks[0]?.id ?? ''];
      const { seq } = await shop.client.call('review.decide', {
        sessionId: id,
        verdict,
        files: [{ path: 'list.txt', hunks }],
        expected: { accepted, proposed },
      });
      return seq;
    };
    // The rejection and its undo leave the tree as the agent made it: the next turn's checkpoint is offered as it is.
    await decide('reject');
    await shop.client.call('review.undo', { sessionId: id });
    const accepting = await decide('accept');
    await shop.send(id, write(withLines({ 0: 'ONE', 4: 'FIVE', 6: 'SEVEN', 8: 'NINE' })));
    const { proposed } = await shop.until(id, 'the third turn', idle(3));
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    const { review } = await shop.client.call('session.get', { sessionId: id });
    const mirror = pruneMirrors();
    const commits = review.decisions.flatMap(({ before, after }) => [before, after]).flatMap(one => Object.values(one));
    const missing = [...new Set(commits)].filter(commit => {
      try {
        runGit(mirror, ['cat-file', '-e', `${commit}^{commit}`]);
        return false;
      } catch {
        return true;
      }
    });
    assert.deepEqual(missing, []);
    await shop.client.call('review.undo', { sessionId: id, seq: accepting });
    const { files } = await shop.client.call('review.list', { sessionId: id });
    assert.deepEqual(
      files.map(({ path, hunks }) => [path, hunks.length]),
      [['list.txt', 1]],
    );
  });
});
