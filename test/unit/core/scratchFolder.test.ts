import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { makeScratchFolder } from '../../../server/src/core/scratchFolder.ts';

const HOUR_S = 3600;

describe('a scratch folder', () => {
  const made: string[] = [];
  afterEach(() => made.splice(0).forEach(folder => rmSync(folder, { recursive: true, force: true })));

  it('takes away what killed processes left of its kind, and only that', async () => {
    const kind = `test${process.pid}`;
    const at = (name: string): string => join(tmpdir(), `sandpiper-${name}`);
    const [stale, young, other] = [at(`${kind}-stale`), at(`${kind}-young`), at(`${kind}x-other`)];
    made.push(stale, young, other);
    const now = Date.now() / 1000;
    for (const folder of [stale, young, other]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'file'), 'x');
    }
    utimesSync(stale, now - 2 * HOUR_S, now - 2 * HOUR_S);
    utimesSync(other, now - 2 * HOUR_S, now - 2 * HOUR_S);
    const folder = await makeScratchFolder(kind, HOUR_S * 1000);
    made.push(folder);
    assert.deepEqual(
      [stale, young, other, folder].map(path => existsSync(path)),
      [false, true, true, true],
    );
    assert.equal(dirname(folder), tmpdir());
    assert.ok(basename(folder).startsWith(`sandpiper-${kind}-`));
  });
});
