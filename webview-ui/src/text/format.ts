import { elapsed } from '../../../protocol/elapsed.ts';
import type { ChangeStats, Usage } from '../../../protocol/events.ts';
import { count, language, t } from '../../../protocol/text.ts';

/** With the decimal mark of the reader's language. */
function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  const locale = language();
  return locale === undefined
    ? text
    : Number(text).toLocaleString(locale, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        useGrouping: false,
      });
}

/** How long something took: `340 ms`, `4.2 s`, then as `elapsed`. */
export function duration(ms: number): string {
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  return ms < 10_000 ? `${fixed(ms / 1000, 1)} s` : elapsed(ms);
}

/** US dollars; what is below a cent is not shown as nothing. */
export function cost({ costUsd }: Usage): string {
  return costUsd > 0 && costUsd < 0.01 ? `< $${fixed(0.01, 2)}` : `$${fixed(costUsd, 2)}`;
}

/** Tokens: `950`, `41.3k`, `1.2M`. */
export function tokens(count: number): string {
  if (count < 1000) {
    return String(count);
  }
  return count < 999_500 ? `${fixed(count / 1000, count < 99_950 ? 1 : 0)}k` : `${fixed(count / 1_000_000, 1)}M`;
}

export function bytes(count: number): string {
  if (count < 1024) {
    return `${count} B`;
  }
  return count < 1024 * 1024 ? `${fixed(count / 1024, 1)} KB` : `${fixed(count / 1024 / 1024, 1)} MB`;
}

/** Who did something, for the one who reads it: the owner of the relay is the reader. */
export function person(by: string): string {
  return by === 'owner' ? t('you') : by;
}

export function files(stats: ChangeStats): string {
  return count(stats.files, 'file');
}

let timeOfDay: Intl.DateTimeFormat | undefined;

export function clockTime(at: number): string {
  // Made once, for every row has one; but not before the language is known.
  timeOfDay ??= new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit' });
  return timeOfDay.format(at);
}

export function fullTime(at: number): string {
  return new Date(at).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'short' });
}

/** How long ago, for lists: `now`, `5 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) {
    return t('now');
  }
  if (minutes < 60) {
    return t('{0} min', minutes);
  }
  return minutes < 24 * 60 ? t('{0} h', Math.floor(minutes / 60)) : t('{0} d', Math.floor(minutes / 60 / 24));
}
