import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import { followJournal, type TailEnd, type TailSource } from '../../../server/src/journal/journalTail.ts';
import type { JournalLine } from '../../../server/src/journal/lineSplitter.ts';
import { eventually } from '../../support/eventually.ts';

/** A file that grows, and a reader of it that is given as much at a time as the test says. */
class GrowingFile {
  content = Buffer.alloc(0);
  missing = false;
  exitCode: number | undefined;
  /** Sizes of the next reads, again and again. */
  readonly #reads: readonly number[];
  readonly #watchers = new Set<() => void>();
  #count = 0;

  constructor(reads: readonly number[]) {
    this.#reads = reads;
  }

  get source(): TailSource {
    return {
      path: 'out',
      exitPath: 'exit',
      exit: () => Promise.resolve(this.exitCode === undefined ? undefined : { code: this.exitCode }),
      alive: () => Promise.resolve(this.exitCode === undefined),
      sandbox: {
        readFrom: (_path, offset, maxBytes) => {
          const size = Math.min(maxBytes, this.#reads[this.#count++ % this.#reads.length] ?? maxBytes);
          const data = this.missing ? Buffer.alloc(0) : this.content.subarray(offset, offset + size);
          return Promise.resolve({ data: Buffer.from(data), missing: this.missing });
        },
        watch: (_path, onChange) => {
          this.#watchers.add(onChange);
          return { dispose: () => this.#watchers.delete(onChange) };
        },
      },
    };
  }

  append(bytes: Buffer): void {
    this.content = Buffer.concat([this.content, bytes]);
    this.wake();
  }

  end(code: number): void {
    this.exitCode = code;
    this.wake();
  }

  wake(): void {
    this.#watchers.forEach(watcher => watcher());
  }
}

/** The lines that a file holds, by the plainest way there is. */
function linesOf(content: Buffer): JournalLine[] {
  const lines: JournalLine[] = [];
  for (let start = 0, end = content.indexOf(10); end !== -1; start = end + 1, end = content.indexOf(10, start)) {
    lines.push({ text: content.subarray(start, end).toString(), endOffset: end + 1 });
  }
  return lines;
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => Buffer.from(`${text}\n`)),
  fc.constantFrom(Buffer.from('\n'), Buffer.from('€'), Buffer.from([0xf0, 0x9f]), Buffer.from('{"type":"result"}\n')),
);

describe('a reader of a journal', () => {
  it('takes every line once and in order, whatever is written, however it comes, and wherever readers change', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 }),
        fc.nat(255),
        async (steps, reads, code) => {
          const file = new GrowingFile(reads);
          const taken: JournalLine[] = [];
          const ends: TailEnd[] = [];
          const errors: unknown[] = [];
          // A reader that is killed has stored the end of the last line that it took, and no more.
          const follow = () =>
            followJournal(file.source, {
              fromOffset: taken.at(-1)?.endOffset ?? 0,
              onLines: lines => void taken.push(...lines),
              onEnd: end => ends.push(end),
              onError: error => errors.push(error),
            });
          let reader = follow();
          for (const [part, isKilled] of steps) {
            file.append(part);
            if (isKilled) {
              reader.dispose();
              reader = follow();
            }
            await Promise.resolve();
          }
          file.end(code);
          await eventually(() => assert.equal(ends.length + errors.length, 1));
          reader.dispose();
          assert.deepEqual(errors, []);
          assert.deepEqual(taken, linesOf(file.content));
          const rest = file.content.subarray(taken.at(-1)?.endOffset ?? 0).toString();
          assert.deepEqual(ends, [{ exitCode: code, rest }]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds a file that was cut, replaced or removed behind what was read, and never takes a line twice', async function () {
    this.timeout(60_000);
    const line = fc.stringMatching(/^[a-z]{0,8}$/).map(text => `${text}\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 10 }),
        fc.nat(),
        fc.boolean(),
        async (lines, cut, isRemoved) => {
          const whole = Buffer.from(lines.join(''));
          const file = new GrowingFile([64]);
          file.content = whole.subarray(0, cut % whole.length);
          file.missing = isRemoved;
          const taken: JournalLine[] = [];
          const error = await new Promise<unknown>((resolve, reject) => {
            followJournal(file.source, {
              fromOffset: whole.length,
              onLines: found => void taken.push(...found),
              onEnd: () => reject(new Error('It ended as if all were well.')),
              onError: resolve,
            });
          });
          assert.ok(error instanceof SandpiperError && error.code === 'journal_lost', String(error));
          assert.match(error.message, isRemoved ? /is gone/ : /was cut/);
          assert.deepEqual(taken, []);
        },
      ),
      { numRuns: 200 },
    );
    const replaced = new GrowingFile([64]);
    replaced.content = Buffer.from('another file of the same length\n'.repeat(2));
    const error = await new Promise<unknown>(resolve => {
      followJournal(replaced.source, { fromOffset: 20, onLines: () => {}, onEnd: resolve, onError: resolve });
    });
    assert.ok(error instanceof SandpiperError && /was replaced/.test(error.message));
  });
});
