/*
 * Decides when a socket on which nothing comes is dead. A socket can be dead without anybody saying so: the laptop slept,
 * the network changed, a router forgot the connection, the relay's process stands still. So after a silence the other
 * side is asked for a sign of life, and when none comes the socket is given up. Pure; `relayLink.ts` holds the clock.
 */

export interface WatchTimes {
  /** How often `watchTick` is to be called. */
  tickMs: number;
  /** So long a silence is nothing special. */
  silenceMs: number;
  /** So long while an answer is awaited: then a person may be looking at it. */
  awaitedMs: number;
  /** So long after an unanswered question the socket is dead. */
  answerMs: number;
  /** So long when this computer has slept: then most sockets are dead. */
  wakeAnswerMs: number;
  /** A tick that comes so much too late means that this computer slept or this program was held up. */
  lateMs: number;
  /** The most that `answerMs` grows to. */
  longestAnswerMs: number;
}

export const WATCH_TIMES: WatchTimes = {
  tickMs: 2_000,
  silenceMs: 15_000,
  awaitedMs: 5_000,
  answerMs: 10_000,
  wakeAnswerMs: 5_000,
  lateMs: 3_000,
  longestAnswerMs: 120_000,
};

/** Two clocks: one that only goes forward and may stand still while the computer sleeps, and that of the wall. */
export interface Moment {
  steadyMs: number;
  wallMs: number;
}

export interface SilenceWatch {
  heardAtMs: number;
  tickedAt: Moment;
  /** How long an answer may take on this line. */
  answerMs: number;
  /** The question that is out. `lateTicks`: how many late ticks it has seen; its first was the cause. */
  probe?: { sentAtMs: number; dueMs: number; lateTicks: number };
}

export type Verdict = 'fine' | 'probe' | 'dead';

/** @param answerMs as `answerTime` of the watch before says, so that a slow line is not given up again and again */
export function startWatch(now: Moment, answerMs: number): SilenceWatch {
  return { heardAtMs: now.steadyMs, tickedAt: now, answerMs };
}

/** Something came. A question that was answered fast says that the line is a fast one. */
export function watchHeard(
  { probe, ...watch }: SilenceWatch,
  steadyMs: number,
  times: WatchTimes = WATCH_TIMES,
): SilenceWatch {
  const isFast = probe !== undefined && steadyMs - probe.sentAtMs < times.answerMs;
  return { ...watch, heardAtMs: steadyMs, ...(isFast ? { answerMs: times.answerMs } : {}) };
}

/**
 * What to do now; to be asked every `tickMs`.
 * @param awaiting whether an answer is awaited, that to a probe aside
 */
export function watchTick(
  watch: SilenceWatch,
  now: Moment,
  awaiting: boolean,
  times: WatchTimes = WATCH_TIMES,
): { watch: SilenceWatch; verdict: Verdict } {
  const { probe } = watch;
  const late = isLate(watch.tickedAt, now, times);
  const ticked = { ...watch, tickedAt: now };
  if (late) {
    // What came meanwhile may not have been read yet, so the first late tick proves nothing; the second does.
    return probe && probe.lateTicks > 0
      ? { watch: ticked, verdict: 'dead' }
      : { watch: { ...ticked, probe: question(now, wakeAnswerMs(watch, times), 1) }, verdict: 'probe' };
  }
  if (probe) {
    return { watch: ticked, verdict: now.steadyMs >= probe.dueMs ? 'dead' : 'fine' };
  }
  if (now.steadyMs - watch.heardAtMs < (awaiting ? times.awaitedMs : times.silenceMs)) {
    return { watch: ticked, verdict: 'fine' };
  }
  return { watch: { ...ticked, probe: question(now, watch.answerMs, 0) }, verdict: 'probe' };
}

/** There is reason to doubt the socket now: the network or the page came back. */
export function watchDoubt(
  watch: SilenceWatch,
  now: Moment,
  times: WatchTimes = WATCH_TIMES,
): { watch: SilenceWatch; verdict: Verdict } {
  return watch.probe
    ? { watch, verdict: 'fine' }
    : { watch: { ...watch, probe: question(now, wakeAnswerMs(watch, times), 0) }, verdict: 'probe' };
}

/**
 * How long the next socket may take to answer, after this one was given up for its silence. Longer each time: a line that
 * carries one large frame very slowly looks dead where only whole frames can be seen, and must get through in the end.
 */
export function answerTime(watch: SilenceWatch, times: WatchTimes = WATCH_TIMES): number {
  return Math.min(times.longestAnswerMs, watch.answerMs * 2);
}

function isLate(before: Moment, now: Moment, { tickMs, lateMs }: WatchTimes): boolean {
  return Math.max(now.steadyMs - before.steadyMs, now.wallMs - before.wallMs) > tickMs + lateMs;
}

function question({ steadyMs }: Moment, timeMs: number, lateTicks: number): NonNullable<SilenceWatch['probe']> {
  return { sentAtMs: steadyMs, dueMs: steadyMs + timeMs, lateTicks };
}

/** A line that is known to be slow keeps its time. */
function wakeAnswerMs({ answerMs }: SilenceWatch, times: WatchTimes): number {
  return answerMs > times.answerMs ? answerMs : times.wakeAnswerMs;
}
