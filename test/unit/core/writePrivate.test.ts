import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { writePrivate } from '../../../server/src/core/writePrivate.ts';
import { useTempFolder } from '../../support/tempRepository.ts';

describe('a private file', () => {
  const folder = useTempFolder();

  it('is written whole over what was there, for its owner only, and nothing else stays', async () => {
    const path = join(folder(), 'secret');
    writeFileSync(path, 'a longer text from before', { mode: 0o644 });
    await Promise.all(['one', 'two'].map(text => writePrivate(path, text)));
    assert.match(readFileSync(path, 'utf8'), /^(one|two)$/);
    assert.equal(statSync(path).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o600);
    assert.deepEqual(readdirSync(folder()), ['secret']);
  });

  it('leaves nothing behind where it cannot be written', async () => {
    mkdirSync(join(folder(), 'taken'));
    await assert.rejects(writePrivate(join(folder(), 'taken'), 'x'));
    assert.deepEqual(readdirSync(folder()), ['taken']);
  });
});
