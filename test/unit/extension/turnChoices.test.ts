import assert from 'node:assert/strict';
import { fromTreeParts, toTreeParts } from '../../../extension/src/checkpoints/treeUri.ts';
import { partsChoices, restoreConsequences, turnChoices } from '../../../extension/src/checkpoints/turnChoices.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { parseTreeName } from '../../../protocol/trees.ts';
import { created, stateAfter } from '../sessions/sessionFixtures.ts';

const SESSION = 'ses_01234567890123456789012345';
const COMMIT = 'a'.repeat(40);
const stats = { files: 0, insertions: 0, deletions: 0 };
const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };

function turn(number: number, changed = true): EventBody[] {
  const messageId = `msg_${String(number).padStart(26, '0')}`;
  return [
    { type: 'messageQueued', messageId, text: `\ndo ${number}\nand more`, by: 'owner' },
    { type: 'turnStarted', turn: number, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
    { type: 'agentFinished', turn: number, outcome: 'completed', usage, durationMs: 5 },
    {
      type: 'turnFinished',
      turn: number,
      outcome: 'completed',
      checkpoint: COMMIT,
      changed,
      stats,
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
    },
  ];
}

describe('the choice of a turn', () => {
  it('names every turn with a checkpoint by its prompt, the latest first, and the start', () => {
    const open: EventBody[] = [{ type: 'turnStarted', turn: 3, messageIds: [] }];
    const state = stateAfter([created, ...turn(1), ...turn(2, false), ...open]);
    assert.deepEqual(
      turnChoices(state).map(choice => [choice.turn, choice.label, choice.description, choice.detail]),
      [
        [2, 'Turn 2', 'no file changed', 'do 2'],
        [1, 'Turn 1', '', 'do 1'],
        [0, 'Start', 'before the first turn', 'Fix it'],
      ],
    );
  });

  it('says what will happen, and no more than will', () => {
    const state = stateAfter([created, ...turn(1), ...turn(2)]);
    const [both, code, conversation] = partsChoices(1).map(parts => restoreConsequences(state, 1, parts));
    assert.match(both ?? '', /Every file.*\n\nThe agent forgets.*\n\nOne later turn is set aside/);
    assert.match(code ?? '', /The agent still remembers everything/);
    assert.match(conversation ?? '', /^No file changes/);
    const working = stateAfter([created, ...turn(1), { type: 'turnStarted', turn: 2, messageIds: [] }]);
    assert.match(
      restoreConsequences(working, 1, { code: true, conversation: true }),
      /^The agent is at work: it is stopped/,
    );
  });
});

describe('the name of a tree', () => {
  it('is one that the relay can resolve, and nothing else', () => {
    assert.deepEqual(parseTreeName('turn:12'), { kind: 'turn', turn: 12 });
    assert.deepEqual(parseTreeName('branch:feature/a:b'), { kind: 'branch', branch: 'feature/a:b' });
    assert.deepEqual(parseTreeName('proposed'), { kind: 'side', side: 'proposed' });
    assert.deepEqual(parseTreeName(`commit:${COMMIT}`), { kind: 'commit', commit: COMMIT });
    for (const wrong of ['', 'HEAD', 'turn:', 'turn:-1', 'turn:1.5', 'branch:', 'branch:a\nb', 'commit:abc', 'Base']) {
      assert.equal(parseTreeName(wrong), undefined, wrong);
    }
  });

  it('is kept in a URI that survives a reload, whatever the path', () => {
    for (const path of ['', 'a', 'dir/ä b#?%.txt']) {
      assert.deepEqual(fromTreeParts(toTreeParts({ sessionId: SESSION, commit: COMMIT, path })), {
        sessionId: SESSION,
        commit: COMMIT,
        path,
      });
    }
    const authority = `${SESSION}.${COMMIT}`;
    for (const path of ['/../etc', '/a//b', '/a/./b', 'a']) {
      assert.equal(fromTreeParts({ authority, path }), undefined, path);
    }
    assert.equal(fromTreeParts({ authority: `${SESSION}.abc`, path: '/a' }), undefined);
  });
});
