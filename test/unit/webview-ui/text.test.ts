import assert from 'node:assert/strict';
import { parseUnifiedDiff } from '../../../webview-ui/src/browser/unifiedDiff.ts';
import type { Image } from '../../../protocol/images.ts';
import { readSavedPage, withDraft } from '../../../webview-ui/src/host/savedPage.ts';
import { decodeEntities } from '../../../webview-ui/src/text/entities.ts';
import { elapsed } from '../../../protocol/elapsed.ts';
import { age, bytes, duration } from '../../../webview-ui/src/text/format.ts';
import { lineDiff } from '../../../webview-ui/src/text/lineDiff.ts';
import { linkTarget } from '../../../webview-ui/src/text/links.ts';
import { visibleParts } from '../../../webview-ui/src/text/visibleText.ts';
import { describeToolInput } from '../../../webview-ui/src/tools/toolInput.ts';

describe('links', () => {
  it('lead to http addresses and to files', () => {
    assert.deepEqual(linkTarget('https://example.com/a?b#c'), {
      kind: 'web',
      url: 'https://example.com/a?b#c',
      host: 'example.com',
    });
    assert.deepEqual(linkTarget('src/a%20b.ts:12:3'), { kind: 'file', path: 'src/a b.ts' });
    assert.deepEqual(linkTarget('/repo/src/a.ts#L4-L9'), { kind: 'file', path: '/repo/src/a.ts' });
  });

  const refused = [
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'java%0Ascript:alert(1)',
    'javascript%3Aalert(1)',
    'command:workbench.action.terminal.new',
    'vscode://file/etc/passwd',
    'data:text/html,<script>',
    'file:///etc/passwd',
    'mailto:a@b.c',
    'https://user:secret@example.com',
    'https://example.com@evil.example',
    'http://[',
    '//evil.example/x',
    '\\\\server\\share',
    '#anchor',
    '',
    '%E0%A4%A',
  ];
  for (const href of refused) {
    it(`refuse ${JSON.stringify(href)}`, () => {
      assert.equal(linkTarget(href), undefined);
    });
  }
});

describe('visible text', () => {
  it('names what would not be seen', () => {
    const shown = (text: string): string =>
      visibleParts(text)
        .map(part => (part.hidden ? `[${part.text}]` : part.text))
        .join('');
    assert.equal(shown('rm \u202e-rf\u202c /\u200b'), 'rm [U+202E]-rf[U+202C] /[U+200B]');
    assert.equal(shown('a\u00a0b\u001b[2J\u{e0041}'), 'a[U+00A0]b[U+001B][2J[U+E0041]');
    assert.equal(shown('plain ünïcode 日本\n\ttext'), 'plain ünïcode 日本\n\ttext');
    assert.deepEqual(visibleParts(''), [{ text: '', hidden: false }]);
  });
});

describe('line diff', () => {
  const short = (before: string, after: string): string[] =>
    lineDiff(before, after).map(line => `${{ same: ' ', added: '+', removed: '-', gap: '~' }[line.kind]}${line.text}`);

  it('shows what changed with a little around it', () => {
    assert.deepEqual(short('a\nb\nc\nd\ne', 'a\nb\nC\nd\ne'), [' a', ' b', '-c', '+C', ' d', ' e']);
    assert.deepEqual(short('1\n2\n3\n4\nx', '1\n2\n3\n4\ny'), ['~2 unchanged', ' 3', ' 4', '-x', '+y']);
    assert.deepEqual(short('', 'new\n'), ['+new']);
    assert.deepEqual(short('same', 'same'), [' same']);
  });

  it('keeps lines that stay between changes', () => {
    assert.deepEqual(short('a\nkeep\nb', 'A\nkeep\nB'), ['-a', '+A', ' keep', '-b', '+B']);
  });

  it('does not compare what is too long', () => {
    const many = (mark: string): string => Array.from({ length: 1000 }, (_, index) => `${mark}${index}`).join('\n');
    assert.equal(lineDiff(many('a'), many('b')).length, 2000);
  });
});

describe('unified diff', () => {
  it('knows files, renames, hunks and files without lines', () => {
    const patches = parseUnifiedDiff(
      [
        'diff --git a/old.ts b/new.ts',
        'similarity index 90%',
        'rename from old.ts',
        'rename to new.ts',
        '--- a/old.ts',
        '+++ b/new.ts',
        '@@ -1,2 +1,2 @@',
        ' same',
        '--- not a header',
        '+added',
        'diff --git a/i.png b/i.png',
        'Binary files a/i.png and b/i.png differ',
        '',
      ].join('\n'),
    );
    assert.deepEqual(patches, [
      {
        path: 'new.ts',
        oldPath: 'old.ts',
        hunks: [{ header: '@@ -1,2 +1,2 @@', lines: [' same', '--- not a header', '+added'] }],
      },
      { path: 'i.png', note: 'Binary files a/i.png and b/i.png differ', hunks: [] },
    ]);
  });
});

describe('tool input', () => {
  it('shows what a known tool does', () => {
    assert.deepEqual(describeToolInput('Bash', '{"command":"ls","description":"List"}'), {
      kind: 'command',
      command: 'ls',
      note: 'List',
    });
    assert.equal(describeToolInput('Edit', '{"file_path":"a","old_string":"x","new_string":"y"}').kind, 'diff');
    assert.deepEqual(describeToolInput('Read', '{"file_path":"a","offset":5,"limit":3}'), {
      kind: 'file',
      path: 'a',
      note: 'Lines 5 to 7',
    });
  });

  it('shows every field of an unknown tool, or of a known one that is used otherwise', () => {
    assert.deepEqual(describeToolInput('Bash', '{"run":["a"]}'), {
      kind: 'fields',
      fields: [{ name: 'run', value: '[\n  "a"\n]' }],
    });
  });

  it('shows what is no JSON as it stands', () => {
    assert.deepEqual(describeToolInput('Bash', '{"command":"cut of'), { kind: 'text', text: '{"command":"cut of' });
    assert.deepEqual(describeToolInput('Bash', ''), { kind: 'none' });
  });
});

describe('formats', () => {
  it('read well', () => {
    assert.deepEqual([-5, 7_000, 192_000, 3_729_000].map(elapsed), ['0 s', '7 s', '3:12', '1:02:09']);
    assert.deepEqual([340, 4_200, 75_000].map(duration), ['340 ms', '4.2 s', '1:15']);
    assert.deepEqual([10, 2048, 3_000_000].map(bytes), ['10 B', '2.0 KB', '2.9 MB']);
    assert.deepEqual([5_000, 300_000, 7_200_000, 200_000_000].map(age), ['now', '5 min', '2 h', '2 d']);
    assert.equal(decodeEntities('&lt;b&gt; &amp;amp; &#65;&#x42; &unknown; &#0;'), '<b> &amp; AB &unknown; &#0;');
  });
});

describe('saved page', () => {
  it('takes only what it knows, and forgets the oldest of too many drafts', () => {
    assert.deepEqual(readSavedPage({ sessionId: 5, drafts: { a: 'x', b: 1 } }), {
      drafts: { a: 'x' },
      images: {},
      unsent: [],
    });
    assert.deepEqual(readSavedPage('junk'), { drafts: {}, images: {}, unsent: [] });
    const image = { mediaType: 'image/png', content: 'AAAA' } as const;
    assert.deepEqual(readSavedPage({ images: { a: [image, { content: 1 }, null], b: 'x' } }).images, { a: [image] });
    assert.deepEqual(withDraft<readonly Image[]>({ a: [image] }, 'a', []), {});
    let drafts: Record<string, string> = {};
    for (let index = 0; index < 60; index++) {
      drafts = withDraft(drafts, `s${index}`, 'text');
    }
    assert.equal(Object.keys(drafts).length, 50);
    assert.equal(drafts['s59'], 'text');
    assert.equal(withDraft(drafts, 's59', '')['s59'], undefined);
  });
});
