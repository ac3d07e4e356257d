import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SPEC_TEMPLATES, specFromAnswers, STACKS, type Stack } from '../../../protocol/specTemplates.ts';
import { readSpec, writeSpec } from '../../../protocol/specText.ts';

const stacks = Object.keys(STACKS).filter((name): name is Stack => Object.hasOwn(STACKS, name));

describe('templates of specs', () => {
  it('are there for common work, each with a name of its own', () => {
    assert.deepEqual(
      SPEC_TEMPLATES.map(({ id }) => id),
      ['fix-issue', 'add-tests', 'review', 'refactor', 'upgrade', 'web-app', 'cli', 'slides'],
    );
  });

  for (const { id, text } of SPEC_TEMPLATES) {
    it(`can be read as specs with every stack: ${id}`, () => {
      for (const stack of stacks) {
        assert.deepEqual(readSpec(text(stack)).problems, []);
      }
    });
  }

  it('are made of answers too, whatever these are', () => {
    const spec = specFromAnswers({
      title: 'Notes',
      kind: 'A web app\n# for notes',
      stack: 'node',
      features: ['Write a note', 'Find a note'],
      look: '## Calm\n```',
      review: true,
    });
    assert.deepEqual(readSpec(writeSpec(spec)), { spec, problems: [] });
    assert.deepEqual(
      spec.items.map(({ title }) => title),
      ['It builds', 'Write a note', 'Find a note', 'It looks right', 'It is what was wanted'],
    );
  });
});
