import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { reduceEvents } from '../../../protocol/reducer.ts';
import { makeOwnRepository } from '../../../server/src/git/ownRepository.ts';
import { placedEvents, readRecording } from '../../../server/src/samples/recording.ts';
import { plainGit } from '../../support/plainGit.ts';

const recording = readRecording();
const CHECKPOINTS = recording.turns.map((_, index) => String(index + 1).repeat(40));

describe('the recording of the sample session', () => {
  it('names no machine, nothing that was spent, and no commit but its own', () => {
    const text = JSON.stringify(placedEvents(recording, CHECKPOINTS));
    assert.doesNotMatch(text, /\/(home|tmp|root|Users|work\/)|sk-ant|\{base\}|\{turn:/);
    assert.ok(recording.events.every(({ body }) => body.type !== 'sessionCreated' && body.type !== 'sandboxReady'));
    const known = new Set([recording.base.commit, ...CHECKPOINTS]);
    assert.deepEqual(
      (text.match(/"[0-9a-f]{40}"/g) ?? []).filter(commit => !known.has(commit.slice(1, -1))),
      [],
    );
  });

  it('is a session that is at rest, whose turns ended with its checkpoints', () => {
    const created = {
      type: 'sessionCreated',
      title: recording.title,
      repository: { id: 'r', name: 'cart', source: '/cart' },
      base: recording.base.commit,
      includesUncommitted: false,
      provider: 'local',
      isolation: 'process',
      agent: 'claude',
      permissionMode: 'ask',
      sample: true,
    } as const;
    const bodies = [created, ...placedEvents(recording, CHECKPOINTS).map(({ body }) => body)];
    const state = reduceEvents(
      undefined,
      bodies.map((body, index) => ({ seq: index + 1, at: index, body })),
      'ses_1',
    );
    assert.equal(state?.phase.kind, 'idle');
    assert.equal(state?.usage.costUsd, 0);
    assert.deepEqual(state?.approvals, []);
    assert.deepEqual(
      state?.turns.map(({ checkpoint }) => checkpoint?.commit),
      CHECKPOINTS,
    );
    assert.equal(state?.proposed, CHECKPOINTS.at(-1));
    assert.ok(state?.items.every(item => item.kind !== 'tool' || item.state !== 'running'));
  });

  it('has the files of the commit that it began with', async () => {
    const { base, message } = recording;
    const scratch = await mkdtemp(join(tmpdir(), 'sandpiper-recording-'));
    try {
      const folder = join(scratch, 'cart');
      await makeOwnRepository(folder, { files: base.files, message, branch: 'main' });
      assert.equal((await plainGit(folder, ['rev-parse', 'main'])).trim(), base.commit);
    } finally {
      await rm(scratch, { recursive: true });
    }
  });
});
