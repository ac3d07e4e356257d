import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { readAnswers } from '../../../server/src/review/itemAnswers.ts';

const labels = new Set(['C1', 'C2', 'C10', 'R1', 'E1']);
const read = (text: string) => Object.fromEntries(readAnswers(text, labels));
const block = (...lines: string[]) => ['I did it all.', '', '```review', ...lines, '```'].join('\n');

describe('what an agent says of the items of a review', () => {
  it('is read from the block that was asked for', () => {
    assert.deepEqual(read(block('C1: addressed - renamed it', 'C2: declined - the API needs it', 'R1: outdated')), {
      C1: { outcome: 'addressed', text: 'renamed it' },
      C2: { outcome: 'declined', text: 'the API needs it' },
      R1: { outcome: 'outdated' },
    });
  });

  const forms: [string, string | undefined][] = [
    ['C1: addressed - because', 'because'],
    ['- **C1**: addressed – because', 'because'],
    ['* C1 — Addressed: because', 'because'],
    ['[C1] ADDRESSED because', 'because'],
    ['C1 (addressed): because', 'because'],
    ['| C1 | addressed | because |', 'because'],
    ['`C1`: **addressed** because', 'because'],
    ['> C1. addressed, because', 'because'],
    ['C1: addressed (because)', 'because'],
    ['C1: addressed', undefined],
  ];
  for (const [form, text] of forms) {
    it(`is read from "${form}", with and without the block`, () => {
      const expected = { C1: { outcome: 'addressed', ...(text === undefined ? {} : { text }) } };
      assert.deepEqual(read(form), expected);
      assert.deepEqual(read(block(form)), expected);
    });
  }

  it('is not what was asked for, repeated', () => {
    assert.deepEqual(read('C1: addressed | declined | outdated'), {});
    assert.deepEqual(read('C1: addressed/declined'), {});
  });

  it('is never "addressed" where the agent did not call it so', () => {
    assert.deepEqual(read(block('C1: not addressed, too risky', 'C2: partially addressed', 'R1: done')), {
      C1: { text: 'not addressed, too risky' },
      C2: { text: 'partially addressed' },
      R1: { text: 'done' },
    });
    assert.deepEqual(read('C1: not addressed\nAs C2 asks, it is addressed.\nC100: addressed\nC1x: addressed'), {});
  });

  it('may be several at once, go on on further lines, and be said again: the last counts', () => {
    assert.deepEqual(read(block('C1, C2 and C10: addressed - all', 'R1: declined -', 'since it', 'breaks.')), {
      C1: { outcome: 'addressed', text: 'all' },
      C2: { outcome: 'addressed', text: 'all' },
      C10: { outcome: 'addressed', text: 'all' },
      R1: { outcome: 'declined', text: 'since it\nbreaks.' },
    });
    assert.deepEqual(read('C1: addressed\nC1: declined - no'), { C1: { outcome: 'declined', text: 'no' } });
    assert.deepEqual(read(`${block('C1: addressed')}\n\n${block('C1: outdated')}`), { C1: { outcome: 'outdated' } });
  });

  it('has no item that was not asked for, whatever is written', () => {
    const word = fc.constantFrom(
      'C1',
      'C3',
      'R7',
      ':',
      '-',
      'addressed',
      'declined',
      '```review',
      '```',
      '\n',
      ' ',
      '|',
      '*',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), words => {
        const text = words.join('');
        for (const [label, { outcome }] of readAnswers(text, labels)) {
          assert.ok(labels.has(label) && text.includes(label));
          assert.ok(outcome === undefined || text.includes(outcome));
        }
      }),
    );
  });
});
