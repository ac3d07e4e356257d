import assert from 'node:assert/strict';
import { patchText } from '../../../server/src/hooks/patch.ts';

describe('a patch in a comment', () => {
  const base = '0123456789abcdef0123456789abcdef01234567';

  it('stands in a block that nothing in it ends, to the last space', () => {
    const diff = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-````\n+@alice #1\n \n';
    const text = patchText(diff, { truncated: false, base });
    assert.ok(text.includes(`\n\`\`\`\`\`diff\n${diff}\`\`\`\`\`\n`), text);
    assert.match(text, /made on 0123456789ab\./);
  });

  it('is not there when it would not apply', () => {
    for (const diff of ['Binary files a/x and b/x differ\n', '+\uFFFD\n']) {
      assert.match(patchText(diff, { truncated: false, base }), /^\n\nThe change is not all text/);
    }
    assert.match(patchText('+x\n', { truncated: true, base }), /^\n\nThe change is too large/);
  });
});
