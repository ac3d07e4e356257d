import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import type { SearchIndex, SearchText } from '../../server/src/store/search.ts';
import type { SqliteDriverName } from '../../server/src/store/sqlite/openDatabase.ts';
import { openSearchIndex } from '../../server/src/store/sqlite/searchIndex.ts';

const drivers: readonly SqliteDriverName[] = ['sqlite3', 'node'];

for (const driver of drivers) {
  describe(`search index: ${driver}`, () => {
    let folder: string;
    let file: string;
    let index: SearchIndex;

    const reopen = (): Promise<SearchIndex> => openSearchIndex({ file, log: silentLogger, driver });
    const text = (seq: number, words: string, itemId = `i${seq}`): SearchText => ({
      seq,
      at: seq * 1000,
      kind: 'text',
      itemId,
      text: words,
    });
    async function found(...terms: string[]): Promise<string[]> {
      return (await index.find({ terms, limit: 10 })).map(hit => `${hit.sessionId}:${hit.seq}`);
    }

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-search-'));
      file = join(folder, 'search.db');
      index = await reopen();
    });
    afterEach(async () => {
      await index.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('finds parts of words in any case, newest first, all of the words', async () => {
      await index.add('a', 2, [text(1, 'Fix the LoginForm'), text(2, 'the form is fixed')], []);
      await index.add('b', 3, [text(3, 'no log in here, but a login form')], []);
      assert.deepEqual(await found('loginf'), ['a:1']);
      assert.deepEqual(await found('FORM'), ['b:3', 'a:2', 'a:1']);
      assert.deepEqual(await found('form', 'login'), ['b:3', 'a:1']);
      assert.deepEqual(await found('in here'), ['b:3']);
      assert.deepEqual(await found('form', 'absent'), []);
    });

    it('finds short words, other scripts and signs that mean something to SQLite', async () => {
      await index.add(
        'a',
        4,
        [text(1, '日本語の検索'), text(2, 'x = a["b"] AND NOT (c*)'), text(3, 'Ünï\0code 100%')],
        [],
      );
      assert.deepEqual(await found('検索'), ['a:1']);
      assert.deepEqual(await found('本語の'), ['a:1']);
      assert.deepEqual(await found('a["b"]'), ['a:2']);
      assert.deepEqual(await found('NOT (c*)'), ['a:2']);
      assert.deepEqual(await found('0%'), ['a:3']);
      assert.deepEqual(await found('ÜNÏ'), ['a:3']);
      assert.deepEqual(await found("'; drop table texts; --"), []);
    });

    it('keeps where it is, and forgets what was taken back or removed', async () => {
      await index.add(
        'a',
        5,
        [text(1, 'alpha secret', 'm1'), text(2, 'alpha tool', 't'), text(3, 'alpha output', 't')],
        [],
      );
      await index.add('b', 1, [text(1, 'alpha other')], []);
      await index.add('a', 7, [], ['m1']);
      assert.deepEqual(await found('alpha'), ['a:3', 'a:2', 'b:1']);
      await index.close();
      index = await reopen();
      assert.deepEqual(
        await index.positions(),
        new Map([
          ['a', 7],
          ['b', 1],
        ]),
      );
      await index.remove('a');
      assert.deepEqual(await found('alpha'), ['b:1']);
      assert.deepEqual(await index.problems(), []);
      const bytes = await readFile(file, 'latin1');
      assert.equal(
        bytes.includes('alpha secret') || bytes.includes('alpha output'),
        false,
        'the text is not in the file',
      );
    });

    it('is private, and made anew when it is damaged or of another form', async () => {
      await index.add('a', 1, [text(1, 'alpha')], []);
      if (process.platform !== 'win32') {
        assert.equal((await stat(file)).mode & 0o777, 0o600);
      }
      await index.close();
      await writeFile(file, 'this is no database at all, but long enough to be taken for one '.repeat(100));
      await assert.rejects(openSearchIndex({ file, log: silentLogger, driver, keep: true }), { code: 'internal' });
      index = await reopen();
      assert.equal((await index.positions()).size, 0);
    });
  });
}
