import { median, rounded, type Figure } from '../figure.ts';

const HEAD = ['figure', 'value', 'aim', '', 'ours', 'floor'];

/** The figures for a person, one a line, with the medians of both sides. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, aim, better, holds, raw }) => [
    name,
    value === null ? 'not taken' : `${value}${unit === 'ratio' ? '' : ` ${unit}`}`,
    `${better === 'less' ? '<=' : '>='} ${aim}`,
    holds ? 'holds' : 'MISSES',
    side(raw.ours, raw.unit),
    side(raw.floor, raw.unit),
  ]);
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map(row => row[column]?.length ?? 0)));
  return [HEAD, ...rows]
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function side(rounds: readonly number[] | undefined, unit: string | undefined): string {
  return rounds === undefined || rounds.length === 0 ? '' : `${rounded(median(rounds))} ${unit ?? ''}`.trimEnd();
}
