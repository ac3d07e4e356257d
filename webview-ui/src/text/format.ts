import { elapsed } from '../../../protocol/elapsed.ts';
import type { ChangeStats, Usage } from '../../../protocol/events.ts';

/** How long something took: `340 ms`, `4.2 s`, then as `elapsed`. */
export function duration(ms: number): string {
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : elapsed(ms);
}

/** US dollars; what is below a cent is not shown as nothing. */
export function cost({ costUsd }: Usage): string {
  return costUsd > 0 && costUsd < 0.01 ? '< $0.01' : `$${costUsd.toFixed(2)}`;
}

export function bytes(count: number): string {
  if (count < 1024) {
    return `${count} B`;
  }
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KB` : `${(count / 1024 / 1024).toFixed(1)} MB`;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value} ${value === 1 ? one : many}`;
}

/** Who did something, for the one who reads it: the owner of the relay is the reader. */
export function person(by: string): string {
  return by === 'owner' ? 'you' : by;
}

export function files(stats: ChangeStats): string {
  return count(stats.files, 'file');
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function clockTime(at: number): string {
  return timeOfDay.format(at);
}

export function fullTime(at: number): string {
  return dayAndTime.format(at);
}

/** How long ago, for lists: `now`, `5 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) {
    return 'now';
  }
  if (minutes < 60) {
    return `${minutes} min`;
  }
  return minutes < 24 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60 / 24)} d`;
}
