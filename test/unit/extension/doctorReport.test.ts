import assert from 'node:assert/strict';
import { findingsOf, reportText, type Surroundings } from '../../../extension/src/commands/doctorReport.ts';

const around: Surroundings = {
  version: '1.0.0',
  editor: '1.106.0',
  platform: 'linux',
  relay: { url: 'http://127.0.0.1:1', version: '1.0.0' },
  problem: undefined,
  folders: 1,
  trusted: true,
};

describe('the report of the doctor', () => {
  it('puts what is wrong first, each with what mends it', () => {
    const findings = findingsOf(
      [
        { name: 'git', status: 'ok', detail: 'git 2.39' },
        { name: 'sandbox local', status: 'warning', detail: 'no isolation' },
        { name: 'model key', status: 'failed', detail: 'missing', hint: 'Set it.' },
        { name: 'agent claude', status: 'failed', detail: 'not found' },
      ],
      around,
    );
    assert.deepEqual(
      findings.slice(0, 3).map(({ name, fix }) => [name, fix?.kind]),
      [
        ['model key', 'command'],
        ['agent claude', 'copy'],
        ['sandbox local', 'copy'],
      ],
    );
    assert.ok(findings.slice(3).every(({ status, fix }) => status === 'ok' && fix === undefined));
  });

  it('says what the relay is, why it cannot be asked, and what of the window is in the way', () => {
    const [first] = findingsOf([], { ...around, relay: undefined, problem: 'It does not answer.' });
    assert.deepEqual([first?.name, first?.status, first?.detail], ['relay', 'failed', 'It does not answer.']);
    const names = findingsOf([], { ...around, version: '1.1.0', folders: 0, trusted: false });
    assert.deepEqual(
      names.map(({ name, status }) => [name, status]),
      [
        ['relay', 'warning'],
        ['folder', 'warning'],
        ['trust', 'warning'],
      ],
    );
  });

  it('is text that can be sent to somebody', () => {
    const text = reportText(
      findingsOf([{ name: 'disk', status: 'warning', detail: '0.5 GiB free', hint: 'Make room.' }], around),
      around,
    );
    assert.match(text, /^Sandpiper 1\.0\.0, VS Code 1\.106\.0, linux\nwarning disk: 0\.5 GiB free\n {8}Make room\./);
  });
});
