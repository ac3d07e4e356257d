import assert from 'node:assert/strict';
import { closingLine, judge, parseLines, skippedSuiteSchema, type TestResult } from '../../../scripts/test/results.ts';

const result = (state: TestResult['state'], title = `is ${state}`): TestResult => ({
  layer: 'unit',
  title,
  state,
  durationMs: 1,
});

describe('the verdict of a test run', () => {
  it('counts what passed and failed', () => {
    const verdict = judge([result('passed'), result('passed'), result('failed')], [], true);
    assert.equal(closingLine(verdict), '2 passed, 1 failed');
  });

  it('names a suite that did not run, once, with its reason', () => {
    const suite = { suite: 'bubblewrap', reason: 'not installed' };
    const verdict = judge([result('passed'), result('skipped', 'bubblewrap hides HOME')], [suite, suite], false);
    assert.deepEqual(verdict.notRun, [suite]);
    assert.equal(closingLine(verdict), '1 passed, 0 failed, 1 skipped');
  });

  it('counts what did not run as failed where everything must run', () => {
    const verdict = judge([result('skipped', 'one')], [{ suite: 'two', reason: 'no disk' }], true);
    assert.equal(closingLine(verdict), '0 passed, 2 failed');
    assert.deepEqual(
      verdict.notRun.map(({ suite }) => suite),
      ['two', 'one'],
    );
  });

  it('refuses a line that is not a skipped suite', () => {
    assert.throws(() => parseLines('{"suite":"x"}\n', skippedSuiteSchema));
  });
});
