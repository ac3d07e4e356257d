import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readConfig } from '../../../server/src/core/config.ts';
import { findGarbage, whyLetGo, type Inventory } from '../../../server/src/upkeep/garbage.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = 1_790_000_000_000;
const { retention } = readConfig({});

const hash = (digit: string) => digit.repeat(64);
const file = (digit: string, ageMs = DAY_MS) => ({ hash: hash(digit), bytes: 10, ageMs });

function inventory(changes: Partial<Inventory>): Inventory {
  return {
    now: NOW,
    sessions: [],
    archives: [],
    foreign: [],
    hasDamagedArchives: false,
    blobs: [],
    parts: [],
    mirrors: [],
    sandboxes: [],
    runFolders: [],
    owned: [],
    ...changes,
  };
}

const session = {
  id: 'ses_00000000000000000000000001',
  repositoryId: 'r1',
  blobs: [hash('a')],
  parts: [hash('b')],
  sandbox: { id: 'snd_1', cloned: true },
  busy: false,
};
const archive = {
  sessionId: 'ses_00000000000000000000000002',
  repositoryId: 'r2',
  expiresAt: NOW + 1,
  bytes: 10,
  blobs: [hash('c')],
  parts: [hash('d')],
};

const names = (changes: Partial<Inventory>) =>
  findGarbage(inventory(changes), retention).map(({ kind, name }) => `${kind} ${name}`);

describe('what is garbage', () => {
  it('is what a branching left that never became a session, when all of it is old', () => {
    const old = (id: string, ageMs = retention.deletedMs) => ({ sessionId: id, bytes: 7, ageMs });
    const owned = [old('ses_left'), old('ses_left'), old('ses_young', 5), old('ses_young'), old(session.id)];
    const there = { sessions: [session], archives: [archive], owned: [...owned, old(archive.sessionId)] };
    assert.deepEqual(
      findGarbage(inventory(there), retention).map(({ name, bytes }) => [name, bytes]),
      [['ses_left', 14]],
    );
    assert.deepEqual(names({ ...there, hasDamagedArchives: true }), []);
    assert.deepEqual(
      names({ owned, sandboxes: [{ provider: 'local', id: 'snd', key: 'ses_left' }] }).includes('left ses_left'),
      false,
    );
  });

  it('is no blob or part that a session or an archive refers to, and none that is young', () => {
    const files = ['a', 'b', 'c', 'd', 'e'].map(digit => file(digit));
    const stored = { sessions: [session], archives: [archive], blobs: files, parts: files };
    assert.deepEqual(names(stored), [
      ...['b', 'd', 'e'].map(digit => `blob ${hash(digit)}`),
      ...['a', 'c', 'e'].map(digit => `part ${hash(digit)}`),
    ]);
    assert.deepEqual(names({ blobs: [file('e', HOUR_MS - 1)] }), []);
  });

  it('is an archive after its time, with what only it refers to', () => {
    const expired = { ...archive, expiresAt: NOW };
    assert.deepEqual(names({ archives: [expired], blobs: [file('c')], parts: [file('d')] }), [
      `archive ${archive.sessionId}`,
      `blob ${hash('c')}`,
      `part ${hash('d')}`,
    ]);
  });

  it('is nothing that an archive may need which cannot be read', () => {
    const mirrors = [{ repositoryId: 'r9', bytes: 1, unusedMs: 365 * DAY_MS }];
    assert.deepEqual(names({ hasDamagedArchives: true, blobs: [file('e')], parts: [file('e')], mirrors }), []);
  });

  it('is a mirror that neither a session nor an archive needs, after a while', () => {
    const mirror = (repositoryId: string, days: number) => ({ repositoryId, bytes: 1, unusedMs: days * DAY_MS });
    const mirrors = [mirror('r1', 365), mirror('r2', 365), mirror('r3', 365), mirror('r4', 29)];
    assert.deepEqual(names({ sessions: [session], archives: [archive], mirrors }), ['mirror r3']);
  });

  it('is no mirror while a sandbox of no known session may be on it', () => {
    const mirrors = [{ repositoryId: 'r9', bytes: 1, unusedMs: 365 * DAY_MS }];
    const sandboxes = [{ provider: 'local', id: 'snd_9', key: 'ses_unknown' }];
    assert.deepEqual(names({ mirrors, sandboxes }), ['sandbox snd_9']);
  });

  it('is a sandbox without a session, saved first where no archive has it', () => {
    const sandboxes = [session.id, archive.sessionId, 'ses_unknown'].map((key, index) => ({
      provider: 'local',
      id: `snd_${index}`,
      key,
    }));
    const found = findGarbage(inventory({ sessions: [session], archives: [archive], sandboxes }), retention);
    assert.deepEqual(
      found.map(garbage => [garbage.name, garbage.kind === 'sandbox' && garbage.unsaved]),
      [
        ['snd_1', false],
        ['snd_2', true],
      ],
    );
  });

  it('is a sandbox that was saved and not removed, but none that is being made', () => {
    const sandboxes = [{ provider: 'local', id: 'snd_1', key: session.id }];
    const letGo = { ...session, sandbox: undefined };
    assert.deepEqual(names({ sessions: [letGo], sandboxes }), ['sandbox snd_1']);
    assert.deepEqual(names({ sessions: [{ ...letGo, busy: true }], sandboxes }), []);
    assert.deepEqual(names({ sessions: [{ ...letGo, parts: [] }], sandboxes }), []);
  });

  it('is the folder of a session that is gone', () => {
    assert.deepEqual(names({ sessions: [session], runFolders: [session.id.slice(-12), 'x'] }), ['runFolder x']);
  });
});

describe('why a sandbox is let go of', () => {
  const used = { busy: false, cloned: true, lastUseAt: NOW - 15 * DAY_MS, sandboxSince: NOW - 20 * DAY_MS };

  it('is that nobody used it for long', () => {
    assert.equal(whyLetGo(used, retention, NOW), 'after 15 days without use');
    assert.equal(whyLetGo({ ...used, lastUseAt: NOW - 13 * DAY_MS }, retention, NOW), undefined);
    assert.equal(whyLetGo(used, { ...retention, sandboxIdleMs: 0 }, NOW), undefined);
  });

  it('is that it is old, when nobody uses it at the moment', () => {
    const limits = { sandboxIdleMs: 0, sandboxMaxAgeMs: 7 * DAY_MS };
    assert.equal(whyLetGo(used, limits, NOW), 'because it was 20 days old');
    assert.equal(whyLetGo({ ...used, lastUseAt: NOW - 1000 }, limits, NOW), undefined);
    assert.equal(whyLetGo({ ...used, sandboxSince: undefined }, limits, NOW), undefined);
  });

  it('is never there while something is under way, or when nothing is in it', () => {
    assert.equal(whyLetGo({ ...used, busy: true }, retention, NOW), undefined);
    assert.equal(whyLetGo({ ...used, cloned: false }, retention, NOW), undefined);
  });
});
