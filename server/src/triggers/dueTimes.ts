import { fitsDay, fitsMinute, type Cron } from './cron.ts';
import type { TimeZone } from './timeZone.ts';

/*
 * When a schedule is due. Clocks change at quarters of an hour, so that the offset is asked for once in each. Where they
 * are set forward, what was due in the hour that is left out is due when it ends; where they are set back, what was due in the
 * hour that comes twice is due the first time. What is due every hour follows the hours as they pass. Pure.
 */

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 24 * 3600_000;
/** 29 February may be eight years away. */
const HORIZON_DAYS = 9 * 366;
/** More than any change of clocks. */
const BEFORE_MS = 3 * 3600_000;
const MAX_COUNTED = 1000;

/** The first one after a moment; undefined when there is none. */
export function nextDue(cron: Cron, zone: TimeZone, after: number): number | undefined {
  const first = startOfDay(after);
  for (let day = first; day < first + HORIZON_DAYS * DAY_MS; day += DAY_MS) {
    const found = duesOfDay(cron, zone, day).find(at => at > after);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

/**
 * The newest one after a moment up to another.
 * @returns undefined when there is none; `earlier`: how many more there were, at most about a thousand
 */
export function newestDue(
  cron: Cron,
  zone: TimeZone,
  { after, upTo }: { after: number; upTo: number },
): { at: number; earlier: number } | undefined {
  let newest: number | undefined;
  let earlier = 0;
  const oldest = Math.max(startOfDay(after), upTo - HORIZON_DAYS * DAY_MS);
  for (let day = startOfDay(upTo); day >= oldest && earlier < MAX_COUNTED; day -= DAY_MS) {
    const found = duesOfDay(cron, zone, day).filter(at => at > after && at <= upTo);
    if (newest === undefined) {
      newest = found.pop();
    }
    earlier += found.length;
  }
  return newest === undefined ? undefined : { at: newest, earlier };
}

/** @param day a midnight in UTC */
function duesOfDay(cron: Cron, zone: TimeZone, day: number): number[] {
  // Wherever the zone is, clocks show this day, the one before or the one after.
  if (![-DAY_MS, 0, DAY_MS].some(shift => fitsDay(cron, day + shift))) {
    return [];
  }
  const found: number[] = [];
  let before = zone.offsetAt(day - QUARTER_MS);
  for (let quarter = day; quarter < day + DAY_MS; quarter += QUARTER_MS) {
    const offset = zone.offsetAt(quarter);
    const isLeftOut = !cron.everyHour && offset > before && fitsAny(cron, quarter + before, quarter + offset);
    for (let at = quarter; at < quarter + QUARTER_MS; at += MINUTE_MS) {
      const fits = fitsMinute(cron, at + offset) && (cron.everyHour || !isRepeated(zone, at, offset));
      if (fits || (isLeftOut && at === quarter)) {
        found.push(at);
      }
    }
    before = offset;
  }
  return found;
}

function fitsAny(cron: Cron, from: number, to: number): boolean {
  for (let wall = from; wall < to; wall += MINUTE_MS) {
    if (fitsMinute(cron, wall)) {
      return true;
    }
  }
  return false;
}

/** Whether clocks have shown the same before. */
function isRepeated(zone: TimeZone, at: number, offset: number): boolean {
  const back = zone.offsetAt(at - BEFORE_MS) - offset;
  return back > 0 && zone.offsetAt(at - back) === offset + back;
}

function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}
