import fc from 'fast-check';
import { strict as assert } from 'node:assert';
import {
  answerTime,
  startWatch,
  WATCH_TIMES,
  watchDoubt,
  watchHeard,
  watchTick,
} from '../../../client/link/silenceWatch.ts';
import type { Moment, SilenceWatch, Verdict } from '../../../client/link/silenceWatch.ts';

const { tickMs, silenceMs, awaitedMs, answerMs, wakeAnswerMs } = WATCH_TIMES;
const HOUR_MS = 3_600_000;
const START: Moment = { steadyMs: 0, wallMs: 1_000_000 };

/** A client's clocks and its watch, ticking. */
class Line {
  now = START;
  watch: SilenceWatch = startWatch(START, answerMs);
  readonly verdicts: { atMs: number; verdict: Verdict }[] = [];

  /** The steady clock goes on, and that of the wall with it; then it ticks. */
  pass(steadyMs: number, { wallMs = steadyMs, awaiting = false } = {}): Verdict {
    this.now = { steadyMs: this.now.steadyMs + steadyMs, wallMs: this.now.wallMs + wallMs };
    const { watch, verdict } = watchTick(this.watch, this.now, awaiting);
    this.watch = watch;
    if (verdict !== 'fine') {
      this.verdicts.push({ atMs: this.now.steadyMs, verdict });
    }
    return verdict;
  }

  hear(): void {
    this.watch = watchHeard(this.watch, this.now.steadyMs);
  }

  /** Ticks until it is given up. @returns the verdicts */
  silent(awaiting = false): Verdict[] {
    for (let ticks = 0; this.verdicts.at(-1)?.verdict !== 'dead'; ticks++) {
      assert.ok(ticks < 100, 'it is never given up');
      this.pass(tickMs, { awaiting });
    }
    return this.verdicts.map(({ verdict }) => verdict);
  }
}

describe('silenceWatch', () => {
  it('asks after 15 s of silence, and gives up 10 s after that', () => {
    const line = new Line();
    assert.deepEqual(line.silent(), ['probe', 'dead']);
    assert.deepEqual(
      line.verdicts.map(({ atMs }) => atMs),
      [16_000, 26_000],
    );
  });

  it('asks sooner while an answer is awaited', () => {
    const line = new Line();
    line.silent(true);
    assert.deepEqual(
      line.verdicts.map(({ atMs }) => atMs),
      [6_000, 16_000],
    );
    assert.ok(awaitedMs < silenceMs);
  });

  it('asks at once when the computer slept, and gives up 5 s after that', () => {
    const line = new Line();
    line.pass(tickMs);
    // Where the steady clock stands still in sleep, and where it does not.
    assert.equal(line.pass(tickMs, { wallMs: HOUR_MS }), 'probe');
    const askedAtMs = line.now.steadyMs;
    line.silent();
    assert.ok(line.now.steadyMs - askedAtMs <= wakeAnswerMs + tickMs);
    const continuous = new Line();
    assert.equal(continuous.pass(HOUR_MS), 'probe');
    assert.equal(continuous.pass(tickMs), 'fine');
  });

  it('does not give up what was not read because this program was held up', () => {
    const line = new Line();
    while (line.pass(tickMs) !== 'probe') {
      // Silence.
    }
    // The answer lies in the network's buffer while the program stands still for a minute.
    assert.equal(line.pass(60_000), 'probe');
    line.hear();
    assert.equal(line.pass(tickMs), 'fine');
  });

  it('gives up in a tab whose timers come once a minute, at the second', () => {
    const line = new Line();
    assert.equal(line.pass(60_000), 'probe');
    assert.equal(line.pass(60_000), 'dead');
  });

  it('finds out at once when there is a doubt, and only once', () => {
    const line = new Line();
    const doubted = watchDoubt(line.watch, line.now);
    assert.equal(doubted.verdict, 'probe');
    assert.equal(watchDoubt(doubted.watch, line.now).verdict, 'fine');
    line.watch = doubted.watch;
    line.silent();
    assert.ok(line.now.steadyMs <= wakeAnswerMs + tickMs);
  });

  it('bears with a clock of the wall that is set back', () => {
    const line = new Line();
    assert.equal(line.pass(tickMs, { wallMs: -HOUR_MS }), 'fine');
    assert.equal(line.pass(tickMs), 'fine');
  });

  it('gives a line that was too slow more time, and no more once it answers fast', () => {
    const slow = new Line();
    slow.silent();
    const next = new Line();
    next.watch = startWatch(START, answerTime(slow.watch));
    next.silent();
    assert.equal(next.now.steadyMs, 16_000 + 2 * answerMs);
    let longest = startWatch(START, answerMs);
    for (let deaths = 0; deaths < 20; deaths++) {
      longest = startWatch(START, answerTime(longest));
    }
    assert.equal(longest.answerMs, WATCH_TIMES.longestAnswerMs);
    const asked = watchDoubt(longest, START).watch;
    assert.equal(watchHeard(asked, START.steadyMs + 100).answerMs, answerMs);
    assert.equal(watchHeard(asked, START.steadyMs + 60_000).answerMs, WATCH_TIMES.longestAnswerMs);
  });

  describe('whatever the clocks do', () => {
    const step = fc.record({
      steadyMs: fc.oneof(fc.constant(tickMs), fc.integer({ min: 1, max: 200_000 })),
      wallDriftMs: fc.oneof(fc.constant(0), fc.integer({ min: -HOUR_MS, max: 24 * HOUR_MS })),
      awaiting: fc.boolean(),
      answered: fc.boolean(),
    });

    it('never gives up a line that answers, and never without having asked', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), steps => {
          const line = new Line();
          for (const { steadyMs, wallDriftMs, awaiting } of steps) {
            const verdict = line.pass(steadyMs, { wallMs: steadyMs + wallDriftMs, awaiting });
            assert.notEqual(verdict, 'dead');
            if (verdict === 'probe') {
              line.hear();
            }
          }
        }),
        { numRuns: 500 },
      );
    });

    it('gives up every line that falls silent, within two minutes of ticks or the second late one', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), steps => {
          const line = new Line();
          for (const { steadyMs, wallDriftMs, awaiting, answered } of steps) {
            if (line.pass(steadyMs, { wallMs: steadyMs + wallDriftMs, awaiting }) === 'dead') {
              break;
            }
            if (answered) {
              line.hear();
            }
          }
          const fromMs = line.now.steadyMs;
          if (line.verdicts.at(-1)?.verdict !== 'dead') {
            line.silent();
          }
          assert.ok(line.now.steadyMs - fromMs <= silenceMs + answerMs + 2 * tickMs);
          const deaths = line.verdicts.filter(({ verdict }) => verdict === 'dead');
          assert.equal(deaths.length, 1);
          assert.equal(line.verdicts.at(-2)?.verdict, 'probe', 'it was asked before');
        }),
        { numRuns: 500 },
      );
    });
  });
});
