import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import {
  MAX_INLINE_BYTES,
  shellRunCommand,
  shellRunOutcome,
  type ShellRun,
} from '../../../server/src/sandboxes/vendors/shellRun.ts';
import { VendorFailure } from '../../../server/src/sandboxes/vendors/vendorFailure.ts';
import { requireOrSkip } from '../../support/requirement.ts';

const runOf = (changes: Partial<ShellRun> = {}): ShellRun => ({
  name: randomUUID(),
  argv: ['true'],
  env: { PATH: process.env['PATH'] ?? '' },
  stdin: undefined,
  maxOutputBytes: 1 << 20,
  finished: [],
  ...changes,
});
const folder = mkdtempSync(join(tmpdir(), 'sandpiper-runs-'));
const bash = (command: string): string =>
  spawnSync('bash', ['-c', command], { env: { ...process.env, TMPDIR: folder } }).stdout.toString();

/** The command of a run, in the real shell. */
describe('a run told as one shell command', function () {
  this.timeout(30_000);

  before(function () {
    requireOrSkip(this, 'a run told as one shell command', process.platform !== 'win32', 'Windows has no POSIX shell');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('carries arguments, environment and bytes as they are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map(given => given.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, fc.uint8Array({ maxLength: 300 }), (args, value, bytes) => {
        const script = 'printf "%s|" "$@"; printf %s "$OWN" >&2; cat';
        const run = runOf({
          argv: ['sh', '-c', script, 'sh', ...args],
          env: { PATH: process.env['PATH'] ?? '', OWN: value },
          stdin: { bytes },
        });
        const outcome = shellRunOutcome(run, bash(shellRunCommand(run)));
        assert.ok(outcome);
        const said = Buffer.from(args.map(arg => `${arg}|`).join('') || '|');
        assert.deepEqual(outcome.stdout, Buffer.concat([said, bytes]));
        assert.deepEqual(outcome.stderr, Buffer.from(value));
      }),
      { numRuns: 25 },
    );
  });

  it('runs the program once however often it is sent', () => {
    const file = join(folder, 'once');
    const run = runOf({ argv: ['sh', '-c', `echo ran >> ${file}; echo $$; exit 3`] });
    const command = shellRunCommand(run);
    const first = shellRunOutcome(run, bash(command));
    assert.equal(first?.code, 3);
    assert.deepEqual(shellRunOutcome(run, bash(command)), first);
    assert.equal(bash(`cat ${file}; rm ${file}`), 'ran\n');
    bash(shellRunCommand(runOf({ finished: [run.name] })));
    assert.equal(bash(`ls "$TMPDIR/.sandpiper-runs" | grep -c ${run.name}`), '0\n');
  });

  it('takes as much as may be inline', () => {
    const stdin = randomBytes(MAX_INLINE_BYTES);
    const run = runOf({ argv: ['cat'], stdin: { bytes: stdin } });
    assert.deepEqual(shellRunOutcome(run, bash(shellRunCommand(run)))?.stdout, stdin);
  });

  it('sees every cut of an answer', () => {
    const run = runOf({ argv: ['sh', '-c', 'echo out; echo err >&2'] });
    const whole = bash(shellRunCommand(run));
    const end = whole.lastIndexOf('whole') + 'whole'.length;
    for (let length = 0; length < end; length++) {
      assert.throws(() => shellRunOutcome(run, whole.slice(0, length)), VendorFailure, `cut after ${length}`);
    }
    assert.equal(shellRunOutcome(run, `login noise\n${whole}more`)?.stdout.toString(), 'out\n');
  });

  it('says that a program writes too much', () => {
    const run = runOf({ argv: ['cat', '/dev/zero'], maxOutputBytes: 1000 });
    assert.throws(() => shellRunOutcome(run, bash(shellRunCommand(run))), SandpiperError);
  });
});
