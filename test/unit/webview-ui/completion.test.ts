import assert from 'node:assert/strict';
import { completed, matching, pathMention, triggerAt } from '../../../webview-ui/src/state/completion.ts';

const at = (text: string) => triggerAt(text, text.length);

describe('completion of mentions and commands', () => {
  it('begins with an at sign that begins a word, and with a slash that begins the message', () => {
    assert.deepEqual(at('look at @src/fo'), { sign: '@', query: 'src/fo', from: 8, to: 15 });
    assert.deepEqual(at('@'), { sign: '@', query: '', from: 0, to: 1 });
    assert.deepEqual(at('(@a'), { sign: '@', query: 'a', from: 1, to: 3 });
    assert.deepEqual(at('/comp'), { sign: '/', query: 'comp', from: 0, to: 5 });
    for (const text of ['me@example.org', 'a /comp', '/compact now', '@file done', 'x\n/comp', '']) {
      assert.equal(at(text), undefined, text);
    }
  });

  it('looks at the word before the cursor alone, and replaces it alone', () => {
    const trigger = triggerAt('see @fo and more', 7);
    assert.ok(trigger);
    assert.deepEqual(completed('see @fo and more', trigger, '@src/form.ts'), {
      text: 'see @src/form.ts and more',
      cursor: 17,
    });
    assert.equal(triggerAt('see @fo and more', 12), undefined);
  });

  it('is not slow with a long text', () => {
    const text = `${'word @ '.repeat(100_000)}@fo`;
    assert.equal(at(text)?.query, 'fo');
  });

  it('puts what begins with the query first', () => {
    const all = ['/recompact', '/compact', '/config'].map(label => ({ id: label, label }));
    assert.deepEqual(
      matching(all, 'comp', 5).map(({ label }) => label),
      ['/compact', '/recompact'],
    );
  });

  it('puts a path with a space into quotes', () => {
    assert.equal(pathMention('a/b.ts'), '@a/b.ts');
    assert.equal(pathMention('a b.ts'), '@"a b.ts"');
  });
});
