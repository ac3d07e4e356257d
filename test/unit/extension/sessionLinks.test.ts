import assert from 'node:assert/strict';
import fc from 'fast-check';
import { linkToSession, sessionOfLink } from '../../../extension/src/doors/sessionLinks.ts';

const ID = `ses_${'0'.repeat(26)}`;
const parts = (link: string) => {
  const { pathname, search, hash } = new URL(link);
  return { path: pathname, query: search.slice(1), fragment: hash.slice(1) };
};

describe('links to sessions', () => {
  it('name a session and nothing else', () => {
    const link = linkToSession('vscode', ID);
    assert.equal(link, `vscode://sandpiper.sandpiper/session/${ID}`);
    assert.equal(sessionOfLink(parts(link)), ID);
    assert.equal(sessionOfLink(parts(`${link}?vscode-reqid=1&windowId=_blank`)), ID);
  });

  it('are refused with anything added', () => {
    for (const more of ['/..', '/x', '?prompt=rm', '?windowId=1&command=x', '#x', '%2Fx', '?windowId=a-b']) {
      assert.throws(
        () => sessionOfLink(parts(`${linkToSession('vscode', ID)}${more}`)),
        { code: 'invalid_params' },
        more,
      );
    }
    assert.throws(() => sessionOfLink(parts(`vscode://sandpiper.sandpiper/open/${ID}`)), { code: 'invalid_params' });
  });

  it('never give anything but an id', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (path, query, fragment) => {
        try {
          assert.match(sessionOfLink({ path: `/session/${path}`, query, fragment }), /^ses_[0-9a-z]{26}$/);
        } catch (thrown) {
          assert.ok(thrown instanceof Error && 'code' in thrown && thrown.code === 'invalid_params');
        }
      }),
    );
  });
});
