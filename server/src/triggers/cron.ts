import { SandpiperError } from '../../../protocol/errors.ts';

/* Cron expressions of five fields: minute, hour, day of the month, month, day of the week. Pure. */

export interface Cron {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** Where both kinds of day are restricted, one of them is enough. */
  eitherDay: boolean;
  /** It follows the hours as they pass, also where clocks are changed. */
  everyHour: boolean;
}

interface Field {
  name: string;
  min: number;
  max: number;
  words?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY: Field = { name: 'day of the month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, words: MONTHS };
/** Sunday is 0, and 7 too. */
const WEEKDAY: Field = { name: 'day of the week', min: 0, max: 7, words: WEEKDAYS };

const PART = /^(?:\*|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/;

/** @throws `invalid_params` */
export function parseCron(text: string): Cron {
  const fields = text.trim().toLowerCase().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (
    fields.length !== 5 ||
    minute === undefined ||
    hour === undefined ||
    day === undefined ||
    month === undefined ||
    weekday === undefined
  ) {
    throw wrong(`"${text.slice(0, 100)}" has not five fields.`);
  }
  return {
    minutes: parseField(minute, MINUTE),
    hours: parseField(hour, HOUR),
    days: parseField(day, DAY),
    months: parseField(month, MONTH),
    weekdays: new Set([...parseField(weekday, WEEKDAY)].map(number => number % 7)),
    eitherDay: !day.startsWith('*') && !weekday.startsWith('*'),
    everyHour: hour.startsWith('*'),
  };
}

function parseField(text: string, field: Field): Set<number> {
  return new Set(text.split(',').flatMap(part => parsePart(part, field)));
}

function parsePart(part: string, field: Field): number[] {
  const [, first, last, step] = PART.exec(part) ?? [];
  const isRange = last !== undefined || part.startsWith('*');
  const from = first === undefined ? field.min : numberOf(first, field);
  const to = first === undefined ? field.max : numberOf(last ?? first, field);
  const by = step === undefined ? 1 : Number(step);
  if (!PART.test(part) || from === undefined || to === undefined || to < from || by < 1 || (step && !isRange)) {
    throw wrong(`"${part.slice(0, 50)}" is no ${field.name}.`);
  }
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
}

function numberOf(text: string, { min, max, words = [] }: Field): number | undefined {
  const word = words.indexOf(text);
  const number = word >= 0 ? word + (words === MONTHS ? 1 : 0) : Number(text);
  return Number.isInteger(number) && number >= min && number <= max ? number : undefined;
}

/** Whether it is due on a day. @param date its midnight, as if it were in UTC */
export function fitsDay({ days, months, weekdays, eitherDay }: Cron, date: number): boolean {
  const day = new Date(date);
  const byDate = days.has(day.getUTCDate());
  const byWeekday = weekdays.has(day.getUTCDay());
  return months.has(day.getUTCMonth() + 1) && (eitherDay ? byDate || byWeekday : byDate && byWeekday);
}

/** Whether it is due in a minute. @param wall what clocks show, as if it were in UTC */
export function fitsMinute(cron: Cron, wall: number): boolean {
  const time = new Date(wall);
  return cron.minutes.has(time.getUTCMinutes()) && cron.hours.has(time.getUTCHours()) && fitsDay(cron, wall);
}

function wrong(what: string): SandpiperError {
  return new SandpiperError('invalid_params', `The schedule cannot be read: ${what}`, {
    hint: 'Give minute, hour, day of the month, month and day of the week: "0 3 * * 1-5" is three o’clock from Monday to Friday.',
  });
}
